#!/bin/bash
#SBATCH --job-name=lst_subruns
#SBATCH --array=0-99%20
#SBATCH --time=02:00:00
#SBATCH --output=%x_%A_%a.out
#
# Reduce one run on a Slurm cluster, one subrun a task, from R0 to DL2.
#
#   export PROVDB_URI=mongodb://cp01/provenance BASE=/fefs/aswg/data/real/20200117
#   array=$(RUN=01807 sbatch --parsable slurm_array.sh)
#   sbatch --dependency="afterany:$array" --array=0 slurm_array.sh replay
#
# Each step is recorded by the task that runs it, also when it fails, or when Slurm ends
# it at its time limit. What could not be sent to PROVDB_URI from a node waits on the
# shared disk; the second job stores it when all tasks have ended, however they did.
#
# A store without a server, sqlite:///PATH, is for tasks that are all on one machine.

set -euo pipefail

: "${BASE:?the folder of the night, with R0, DL1, DL2, calibration and models in it}"
: "${PROVDB_URI:?the store, such as mongodb://cp01/provenance}"
export PROVDB_URI
export PROVDB_SPOOL_DIR=${PROVDB_SPOOL_DIR:-$BASE/provdb-spool}

if [[ ${1-} == replay ]]; then
    exec provdb spool replay
fi

run=${RUN:-01807}
subrun=$(printf '%04d' "${SLURM_ARRAY_TASK_ID:?submit this with sbatch}")
pedestal=${PEDESTAL:-$BASE/calibration/drs4_pedestal.Run01804.0000.h5}
calibration=${CALIBRATION:-$BASE/calibration/calibration_filters_52.Run01809.0000.h5}
config=${CONFIG:-$BASE/lstchain_standard_config.json}
models=${MODELS:-$BASE/models}

r0=$BASE/R0/LST-1.1.Run$run.$subrun.fits.fz
dl1=$BASE/DL1/dl1_LST-1.Run$run.$subrun.h5
dl1ab=$BASE/DL1/tailcut84/dl1_LST-1.Run$run.$subrun.h5
dl2=$BASE/DL2/dl2_LST-1.Run$run.$subrun.h5
mkdir -p "$BASE/DL1/tailcut84" "$BASE/DL2"

# record STEP OPTION... -- COMMAND...: one step of this subrun.
record() {
    local step=$1
    shift
    provdb run --session-tag "$step:$run" --parameter "ObservationSubRun=$subrun" "$@"
}

record r0_to_dl1 \
    --used "Observation subrun=$r0" \
    --used "Pedestal file=$pedestal" \
    --used "Coefficients calibration file=$calibration" \
    --generated "DL1 subrun dataset=$dl1" \
    -- lstchain_r0_to_dl1 --input-file "$r0" --output-dir "$BASE/DL1" \
    --pedestal-file "$pedestal" --calibration-file "$calibration"

record dl1ab \
    --used "DL1 subrun dataset=$dl1" \
    --used "Analysis configuration file=$config" \
    --generated "DL1AB subrun dataset=$dl1ab" \
    -- lstchain_dl1ab --input-file "$dl1" --output-file "$dl1ab" --config "$config"

record dl1_to_dl2 \
    --used "DL1 subrun dataset=$dl1ab" \
    --used "Analysis configuration file=$config" \
    --used "RF model=$models/*.sav" \
    --generated "DL2 subrun dataset=$dl2" \
    -- lstchain_dl1_to_dl2 --input-files "$dl1ab" --path-models "$models" \
    --output-dir "$BASE/DL2" --config "$config"
