"""Stand-ins for the capture of other packages, which record into provdb too."""
