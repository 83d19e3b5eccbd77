"""Kinds of history: processings that follow one another."""

import random

from tests.lineage.simulator.disk import File
from tests.lineage.simulator.history import World
from tests.lineage.simulator.night import Files
from tests.lineage.simulator.registry import a_night, again, kind, rest

__all__: list[str] = []


@kind(is_ordinary=True)
def one_night(world: World, chance: random.Random) -> None:
    night = a_night(world, chance)
    night.process(night.calibrate(0.0))


@kind(is_ordinary=True)
def repeated_pass(world: World, chance: random.Random) -> None:
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 1, 2])):
        start = rest(world, end)
        second = again(night)
        if chance.random() < 0.5:
            start = second.calibrate(start)
        end = second.process(start)


@kind(is_ordinary=True)
def some_subruns_again(world: World, chance: random.Random) -> None:
    night = a_night(world, chance, subruns=range(3))
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 1, 2])):
        some = sorted(chance.sample(range(3), chance.choice([1, 2])))
        second = again(night, subruns=some)
        start = rest(world, end)
        ends = [second.subrun(subrun, start + subrun) for subrun in some]
        whole = again(night)
        end = whole.run_wise(max(ends) + 5.0) if chance.random() < 0.7 else max(ends)


@kind(is_ordinary=True)
def other_outputs(world: World, chance: random.Random) -> None:
    night = a_night(world, chance, has_muons=True)
    end = night.process(night.calibrate(0.0))
    for has_muons in chance.choice([[False], [False, True]]):
        start = rest(world, end)
        second = again(night, has_muons=has_muons, has_check=chance.random() < 0.5)
        end = second.process(second.calibrate(start))


@kind(is_ordinary=True)
def chains_of_three(world: World, chance: random.Random) -> None:
    night = a_night(world, chance, has_dl1ab=True, has_dl1c=True)
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([0, 1, 2])):
        second = again(night, has_dl1c=chance.random() < 0.6)
        end = second.process(rest(world, end))


@kind(is_ordinary=True)
def parts(world: World, chance: random.Random) -> None:
    """Every dl1_to_dl2 writes its part of the run's file; some parts are redone."""
    night = a_night(world, chance, merge="parts", subruns=range(3))
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 2, 3])):
        world.software = chance.choice([world.software, "0.12.0"])
        some = sorted(chance.sample(range(3), chance.choice([1, 2, 3])))
        second = again(night, subruns=some)
        end = second.process(rest(world, end))


@kind(is_ordinary=True)
def version_folder(world: World, chance: random.Random) -> None:
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    version = chance.choice(["v0.12", "v0.10"])
    files = Files(version=version, calibration_version=chance.choice([None, "v0.11"]))
    second = again(night, files=files)
    start = rest(world, end)
    if files.calibration_version is None:
        start = second.calibrate(start)
    end = second.process(start)
    if chance.random() < 0.4:
        end = night.process(rest(world, end))


@kind(is_ordinary=True)
def recalibration(world: World, chance: random.Random) -> None:
    """The calibration is redone before, between and after processings."""
    night = a_night(world, chance)
    end = night.calibrate(0.0)
    for _ in range(chance.choice([2, 3, 4])):
        start = rest(world, end)
        second = again(night)
        if chance.random() < 0.5:
            end = second.calibrate(start)
        else:
            end = second.process(start)


@kind(is_ordinary=True)
def other_folder(world: World, chance: random.Random) -> None:
    """The inputs of the second processing lie in another folder."""
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    start = rest(world, end)
    if chance.random() < 0.5:
        files = Files(raw_base="/archive/R0/20261122")
        again(night, files=files).process(start)
        return
    # The DL1 files of another version make the DL2 files of this one.
    other = again(night, files=Files(version="v0.10", calibration_version="v0.11"))
    ends = [other.r0_to_dl1(subrun, start) for subrun in night.subruns]
    for subrun in night.subruns:
        model = world.external("/models/reg_energy.sav", "RFModelEnergyFile")
        outputs = [(night.files.dl2(subrun), "DL2 subrun dataset")]
        if night.merge == "parts":
            outputs.append((night.files.merged, "DL2 merged file"))
        job = other.step(
            "dl1_to_dl2",
            max(ends) + night.gap(),
            [
                (other.files.dl1(subrun), "DL1 subrun dataset"),
                (model, "RFModelEnergyFile"),
            ],
            outputs,
            subrun=subrun,
        )
        ends.append(job.end)
    night.run_wise(max(ends) + night.gap())


@kind(is_ordinary=True)
def two_productions(world: World, chance: random.Random) -> None:
    """Two productions run at once, with or without a calibration of their own."""
    night = a_night(world, chance)
    start = night.calibrate(0.0)
    files = Files(version="v0.12", calibration_version=chance.choice([None, "v0.11"]))
    other = again(night, files=files)
    if files.calibration_version is None:
        start = max(start, other.calibrate(chance.uniform(0.0, 30.0)))
    ends = [night.process(start), other.process(start + chance.uniform(0.0, 60.0))]
    if chance.random() < 0.4:
        again(night).process(rest(world, max(ends)))


@kind(is_ordinary=True)
def parts_then_merge(world: World, chance: random.Random) -> None:
    """Parts are written first, then a step merges all subruns, then parts again."""
    night = a_night(world, chance, merge="parts", subruns=range(3), has_dl3=False)
    end = night.process(night.calibrate(0.0))
    end = again(night, merge="step").run_wise(end + night.gap())
    if chance.random() < 0.7:
        some = sorted(chance.sample(range(3), chance.choice([1, 2])))
        second = again(night, subruns=some)
        start = rest(world, end)
        end = max(second.subrun(subrun, start + subrun) for subrun in some)
        if chance.random() < 0.5:
            again(night, merge="step").run_wise(end + 5.0)


@kind(is_ordinary=True)
def merge_again(world: World, chance: random.Random) -> None:
    """The subruns are merged, then all or fewer of them are merged again."""
    night = a_night(world, chance, merge="step", subruns=range(3))
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 2])):
        some = sorted(chance.sample(range(3), chance.choice([2, 3])))
        end = again(night, subruns=some).run_wise(rest(world, end))


@kind(is_ordinary=True)
def merge_into(world: World, chance: random.Random) -> None:
    """Later subruns are merged into the file of the run, which is rewritten."""
    night = a_night(world, chance, merge="step", subruns=(0, 1), has_dl3=False)
    end = night.process(night.calibrate(0.0))
    for subrun in (2, 3):
        world.turn += 1
        second = again(night, merge="")
        end = second.subrun(subrun, end + night.gap())
        second.step(
            "add_dl2",
            end + night.gap(),
            [
                (night.files.merged, "DL2 merged file"),
                (night.files.dl2(subrun), "DL2 subrun dataset"),
            ],
            [(night.files.merged, "DL2 merged file")],
        )
        end += 120.0


@kind()
def parts_made_anew(world: World, chance: random.Random) -> None:
    """The first part of a processing removes the parts of the one before."""
    night = a_night(world, chance, merge="parts", subruns=range(3), has_check=False)
    end = night.process(night.calibrate(0.0))
    some = sorted(chance.sample(range(3), chance.choice([1, 2, 3])))
    count = len(world.disk.jobs)
    start = rest(world, end)
    again(night, subruns=some, has_dl3=False).process(start)
    jobs = world.disk.jobs[count:]
    writes = [w for j in jobs for w in j.writes if w.file == night.files.merged]
    min(writes, key=lambda write: write.time).is_part = False


@kind()
def declared_modes(world: World, chance: random.Random) -> None:
    """Records say whether a write is a part, is at the end, or is of the whole file."""
    night = a_night(world, chance, merge="", has_check=False, subruns=range(3))
    end = night.process(night.calibrate(0.0))
    path = f"/DL2/20261122/table{chance.choice(['.h5', '.Run01807.h5'])}"
    table = File(path, "DL2Table")
    for _ in range(chance.choice([1, 2])):
        for subrun in sorted(chance.sample(range(3), chance.choice([2, 3]))):
            job = night.step(
                "fill_table",
                end,
                [(night.files.dl2(subrun), "DL2 subrun dataset")],
                [(table, "DL2 table")],
                subrun=subrun,
            )
            mode = chance.choice(["part", "part", "append", "overwrite"])
            (write,) = job.writes
            write.mode, write.is_part = mode, mode != "overwrite"
            slot = f"{job.id} at the end" if mode == "append" else f"{subrun:04d}"
            write.slots = (slot,)
            end = job.end + night.gap()
        end = rest(world, end)
        world.turn += 1


@kind(is_ordinary=True)
def night_wise(world: World, chance: random.Random) -> None:
    """Two runs make one product of the night, in a step or in parts."""
    runs = [Files(run=1807), Files(run=1808)]
    night = a_night(world, chance, has_dl3=False, merge="step", files=runs[0])
    is_parts = chance.random() < 0.5
    end = night.calibrate(0.0)
    for turn in range(chance.choice([1, 2])):
        some = runs if turn == 0 else chance.choice([runs, runs[:1], runs[1:]])
        ends = []
        for files in some:
            one = again(night, files=files)
            one.world.turn = turn
            ended = one.process(end)
            if is_parts:
                job = one.step(
                    "add_to_night",
                    ended + one.gap(),
                    [(files.merged, "DL2 merged file")],
                    [(files.night_wise, "DL2 night file")],
                )
                (write,) = job.writes
                write.is_part, write.slots = True, (files.tag_run,)
                ended = job.end
            ends.append(ended)
        end = max(ends) + night.gap()
        if not is_parts:
            job = night.step(
                "merge_night",
                end,
                [(files.merged, "DL2 merged file") for files in runs],
                [(runs[0].night_wise, "DL2 night file")],
            )
            job.tag, job.session = "merge_night:20261122", "20261122"
            end = job.end
        end = rest(world, end)


@kind(is_ordinary=True)
def several_telescopes(world: World, chance: random.Random) -> None:
    """Two telescopes have the same run; of one the calibration may be unknown."""
    first, second = Files(), Files(telescope=2)
    night = a_night(world, chance, files=first)
    other = again(night, files=second)
    start = max(night.calibrate(0.0), other.calibrate(chance.uniform(0.0, 9.0)))
    ends = [night.process(start), other.process(start + chance.uniform(0.0, 9.0))]
    if chance.random() < 0.5:
        again(chance.choice([night, other])).process(rest(world, max(ends)))


@kind()
def calibration_of_other_telescope(world: World, chance: random.Random) -> None:
    """One telescope is calibrated where nobody sees it."""
    night = a_night(world, chance)
    other = again(night, files=Files(telescope=2))
    world.disk.put(other.files.pedestal)
    world.disk.put(other.files.charge)
    start = night.calibrate(0.0)
    night.process(start)
    other.process(start + chance.uniform(0.0, 9.0))


@kind(is_ordinary=True)
def dry_runs(world: World, chance: random.Random) -> None:
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    count = len(world.disk.jobs)
    end = again(night, has_muons=True).process(rest(world, end))
    for job in world.disk.jobs[count:]:
        job.is_dry = True
    if chance.random() < 0.5:
        again(night).process(rest(world, end))
