#!/bin/sh
# How dl2_LST-1.Run01807.h5 was made: 12 commands for 35 steps.
# Written by provdb reproduce. Read it before you run it: it runs what was run then,
# and writes where that wrote.
set -eu

need() {  # Ends unless a file that nothing here makes is there.
    [ -e "$1" ] || { echo "missing: $1" >&2; exit 1; }
}
restore() {  # Gets a configuration file out of the store, if it is not there.
    if [ ! -e "$2" ]; then
        mkdir -p "$(dirname "$2")" && provdb files get "$1" -o "$2"
    elif ! provdb files get "$1" | cmp -s - "$2"; then
        echo "not what was used then: $2 ('provdb files get $1' shows it)" >&2
        exit 1
    fi
}
lacks() {  # Ends: what follows cannot be run as it is.
    echo "$1" >&2
    exit 1
}
same() {  # Ends unless FILE has the recorded content: same COMMAND DIGEST FILE.
    found=$("$1" <"$3")
    [ "${found%% *}" = "$2" ] || {
        echo "not what was used then: $3 (recorded $2, found ${found%% *});" \
            "delete its line to go on with it" >&2
        exit 1
    }
}
result() {  # Says whether the result has it: result COMMAND DIGEST FILE.
    found=$("$1" <"$3")
    [ "${found%% *}" = "$2" ] || {
        echo "not what was made then: $3 (recorded $2, found ${found%% *})" >&2
        exit 1
    }
    echo "what was made then: $3" >&2
}

# What nothing here makes.
need /data/models/prod5/zenith_20deg/20201023_v0.6.3/cls_gh.sav
need /data/models/prod5/zenith_20deg/20201023_v0.6.3/reg_disp_norm.sav
need /data/models/prod5/zenith_20deg/20201023_v0.6.3/reg_disp_sign.sav
need /data/models/prod5/zenith_20deg/20201023_v0.6.3/reg_energy.sav
need /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01804.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0000.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0001.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0002.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0003.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0004.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0005.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0006.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0007.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0008.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0009.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01807.0010.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/R0/20200117/LST-1.1.Run01809.fits.fz
need /fefs/aswg/osa-old/test_osa/test_files0/monitoring/DrivePositioning/DrivePosition_log_20200117.txt
need /fefs/aswg/osa-old/test_osa/test_files0/monitoring/PixelCalibration/Cat-A/drs4_time_sampling_from_FF/20191124/pro/time_calibration.Run01625.0000.h5
need /fefs/aswg/osa-old/test_osa/test_files0/monitoring/PixelCalibration/Cat-A/ffactor_systematics/20200725/pro/ffactor_systematics_20200725.h5
need /fefs/aswg/osa-old/test_osa/test_files0/monitoring/RunSummary/RunSummary_20200117.ecsv
need /software/lstchain/data/lstchain_standard_config.json

# drs4_pedestal 01804, calibrate_charge 01809
calibration_pipeline -s --drs4-pedestal-run=01804 --pedcal-run=01809 LST1

# r0_to_dl1 01807.0001, dl1ab 01807.0001, dl1_to_dl2 01807.0001
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0001 LST1

# r0_to_dl1 01807.0003, dl1ab 01807.0003, dl1_to_dl2 01807.0003
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0003 LST1

# r0_to_dl1 01807.0000, dl1ab 01807.0000, dl1_to_dl2 01807.0000
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0000 LST1

# r0_to_dl1 01807.0002, dl1ab 01807.0002, dl1_to_dl2 01807.0002
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0002 LST1

# r0_to_dl1 01807.0004, dl1ab 01807.0004, dl1_to_dl2 01807.0004
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0004 LST1

# r0_to_dl1 01807.0005, dl1ab 01807.0005, dl1_to_dl2 01807.0005
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0005 LST1

# r0_to_dl1 01807.0006, dl1ab 01807.0006, dl1_to_dl2 01807.0006
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0006 LST1

# r0_to_dl1 01807.0007, dl1ab 01807.0007, dl1_to_dl2 01807.0007
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0007 LST1

# r0_to_dl1 01807.0008, dl1ab 01807.0008, dl1_to_dl2 01807.0008
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0008 LST1

# r0_to_dl1 01807.0009, dl1ab 01807.0009, dl1_to_dl2 01807.0009
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0009 LST1

# r0_to_dl1 01807.0010, dl1ab 01807.0010, dl1_to_dl2 01807.0010
datasequence -s --config /fefs/aswg/osa-old/cfgs/sequencer_demo.cfg --date=2020-01-17 01807.0010 LST1

# Its content was not recorded: whether it is the same is unknown.
need /fefs/aswg/osa-old/test_osa/test_files0/DL2/20200117/v0.1.0/model2/dl2_LST-1.Run01807.h5
