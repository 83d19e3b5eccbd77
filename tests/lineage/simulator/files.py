"""Kinds of history: files that are moved, copied, edited, reused, or named together."""

import random

from tests.lineage.simulator.disk import File, Job, Write
from tests.lineage.simulator.history import World
from tests.lineage.simulator.night import Files, Night
from tests.lineage.simulator.registry import a_night, again, kind, rest

__all__: list[str] = []


@kind(is_ordinary=True)
def scratch_names(world: World, chance: random.Random) -> None:
    """Every subrun uses the same name on the scratch disk, one after another."""
    _use_scratch(world, chance, nodes=("cp01",))


@kind(is_ordinary=True)
def scratch_names_on_two_nodes(world: World, chance: random.Random) -> None:
    """Two nodes use the same name, each on a disk of its own, at the same time."""
    _use_scratch(world, chance, nodes=("cp01", "cp02"))


@kind()
def sessions_that_start_at_once(world: World, chance: random.Random) -> None:
    """Sessions of one tag start in one second on two nodes: which job is whose?"""
    world.precision = 0
    _use_scratch(world, chance, nodes=("cp01", "cp02"), gaps=(0.0, 0.0))


@kind(is_ordinary=True)
def moved_by_a_rule(world: World, chance: random.Random) -> None:
    """DL1 files are moved, unrecorded, into the folder in which dl1ab reads them."""
    night = a_night(world, chance, merge="", has_check=False, has_dl1ab=False)
    end = night.calibrate(0.0)
    for turn in range(chance.choice([1, 2, 2, 3])):
        world.turn = turn
        ends = []
        for subrun in night.subruns:
            world.disk.put(night.files.raw(subrun), "raw")
            ended = night.r0_to_dl1(subrun, end)
            written, moved = (
                night.files.dl1(subrun),
                night.files.dl1(subrun, "tailcut84"),
            )
            world.disk.happen("mv", ended + 0.3, written, moved)
            config = world.external("/cfg/standard.json", "AnalysisConfigFile")
            job = night.step(
                "dl1ab",
                ended + 1.0 + night.gap(),
                [(moved, "DL1 subrun dataset"), (config, "Analysis configuration")],
                [(moved, "DL1AB subrun dataset")],
                subrun=subrun,
            )
            job = night.step(
                "dl1_to_dl2",
                job.end + night.gap(),
                [(moved, "DL1 subrun dataset")],
                [(night.files.dl2(subrun), "DL2 subrun dataset")],
                subrun=subrun,
            )
            ends.append(job.end)
        end = rest(world, max(ends))


@kind()
def moves_recorded(world: World, chance: random.Random) -> None:
    """Products are moved to an archive and read there, as records say."""
    _transfer(world, chance, what="mv", is_recorded=True)


@kind()
def copies_recorded(world: World, chance: random.Random) -> None:
    _transfer(world, chance, what="cp", is_recorded=True)


@kind()
def moves_unrecorded(world: World, chance: random.Random) -> None:
    _transfer(world, chance, what="mv", is_recorded=False)


@kind()
def copies_unrecorded(world: World, chance: random.Random) -> None:
    _transfer(world, chance, what="cp", is_recorded=False)


@kind()
def folders(world: World, chance: random.Random) -> None:
    """A training writes a folder; later steps read a file in it, or the folder."""
    gamma = world.external("/mc/dl1_GammaDiffuse.h5", "DL1MergedMC")
    folder = File("/models/dec_2276/", "RFModels")
    bare = File("/models/dec_2276", "RFModels")
    model = File("/models/dec_2276/reg_energy.sav", "RFModelEnergyFile")
    night = a_night(world, chance, merge="", has_check=False)
    end = night.calibrate(0.0)
    for turn in range(chance.choice([1, 2])):
        world.turn = turn
        training = night.step("train_rf", end, [(gamma, "gamma")], [(folder, "models")])
        for inner in (bare, model):
            write = Write(inner, "models", training.end, is_recorded=False)
            training.writes.append(write)
        end = training.end + night.gap()
        for subrun in night.subruns:
            world.disk.put(night.files.raw(subrun), "raw")
            ended = night.r0_to_dl1(subrun, end)
            job = night.step(
                "dl1_to_dl2",
                ended + night.gap(),
                [
                    (night.files.dl1(subrun), "DL1 subrun dataset"),
                    (chance.choice([folder, bare, model]), "models"),
                ],
                [(night.files.dl2(subrun), "DL2 subrun dataset")],
                subrun=subrun,
            )
            end = job.end + night.gap()
        end = rest(world, end)


@kind()
def globs(world: World, chance: random.Random) -> None:
    """The merging step names its inputs by a pattern."""
    night = a_night(world, chance, merge="step")
    end = night.process(night.calibrate(0.0))
    if chance.random() < 0.5:
        again(night).process(rest(world, end))
    pattern = File("/DL2/20261122/v0.11/dl2_LST-1.Run01807.*.h5", "DL2Collection")
    for job in world.disk.jobs:
        if job.step == "merge_dl2":
            for read in job.reads:
                read.named = pattern


@kind(is_ordinary=True)
def hashed(world: World, chance: random.Random) -> None:
    """Every record has the hash of the content."""
    world.hashes = True
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 2])):
        end = again(night).process(rest(world, end))


@kind(is_ordinary=True)
def identical_bytes(world: World, chance: random.Random) -> None:
    """Some writes leave the bytes that another write left; records have the hashes."""
    world.hashes = True
    night = a_night(world, chance)
    end = night.process(night.calibrate(0.0))
    for _ in range(chance.choice([1, 2])):
        end = again(night).process(rest(world, end))
    for job in world.disk.jobs:
        for write in job.writes:
            if chance.random() < 0.6:
                write.bytes = f"the same {job.step} {write.file.path}"


@kind()
def edited(world: World, chance: random.Random) -> None:
    """Somebody edits a file between two steps; records have hashes, mostly."""
    world.hashes = chance.random() < 0.8
    night = a_night(world, chance, gaps=(5.0, 20.0))
    end = night.process(night.calibrate(0.0))
    if chance.random() < 0.4:
        again(night).process(rest(world, end))
    some = [(job, w) for job in world.disk.jobs for w in job.writes]
    for job, write in chance.sample(some, chance.choice([1, 2])):
        at = job.end + chance.choice([1.0, 1.0, 2.0, 500.0])
        world.disk.happen("edit", at, write.file)


def _use_scratch(
    world: World,
    chance: random.Random,
    *,
    nodes: tuple[str, ...],
    gaps: tuple[float, float] = (1.0, 20.0),
) -> None:
    night = a_night(world, chance, subruns=range(4), has_muons=False)
    scratch = File("/scratch/tmp_dl1.h5", "DL1SubrunDataset")
    start = night.calibrate(0.0)
    free = {node: start + chance.uniform(*gaps) for node in nodes}
    for turn in range(chance.choice([1, 2])):
        world.turn = turn
        for subrun in night.subruns:
            node = chance.choice(nodes)
            raw = night.files.raw(subrun)
            world.disk.put(raw, "raw")
            first = _on(
                night,
                node,
                "r0_to_dl1",
                free[node],
                [
                    (raw, "Observation subrun"),
                    (night.files.pedestal, "Pedestal file"),
                ],
                [(scratch, "DL1 subrun dataset")],
                subrun,
            )
            second = _on(
                night,
                node,
                "dl1_to_dl2",
                first.end + night.gap(),
                [(scratch, "DL1 subrun dataset")],
                [(night.files.dl2(subrun), "DL2 subrun dataset")],
                subrun,
            )
            free[node] = second.end + night.gap()
        start = rest(world, max(free.values()))
        free = {node: start + chance.uniform(*gaps) for node in nodes}


def _on(
    night: Night,
    node: str,
    step: str,
    start: float,
    reads: list[tuple[File, str]],
    writes: list[tuple[File, str]],
    subrun: int,
) -> Job:
    job = night.step(step, start, reads, writes, subrun=subrun)
    job.node = node
    return job


def _transfer(
    world: World, chance: random.Random, *, what: str, is_recorded: bool
) -> None:
    """Move or copy DL2 files between the steps of one or several processings."""
    world.hashes = chance.random() < 0.4
    night = a_night(world, chance, merge="", has_check=False)
    archive = Files(base="/archive")
    is_renamed = chance.random() < 0.3
    end = night.calibrate(0.0)
    for turn in range(chance.choice([1, 2, 2])):
        world.turn = turn
        end = night.process(end)
        for subrun in night.subruns:
            source, target = night.files.dl2(subrun), archive.dl2(subrun)
            if is_renamed:
                target = File(f"/archive/old{subrun}.h5", "DL2SubrunDataset")
            at = end + night.gap()
            if is_recorded:
                job = night.step(what, at, [(source, "source")], [(target, "target")])
                if what == "mv":
                    job.removes = [source]
                end = job.end
            else:
                world.disk.happen(what, at, source, target)
                end = at + 1.0
            job = night.step(
                "dl2_to_dl3",
                end + night.gap(),
                [(target, "DL2 file")],
                [(File(f"/DL3/dl3_{subrun:04d}.fits", "DL3File"), "DL3 file")],
                subrun=subrun,
            )
            end = job.end
        end = rest(world, end)
