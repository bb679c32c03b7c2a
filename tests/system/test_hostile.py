# SPDX-License-Identifier: Apache-2.0
"""Hostile guests beside a canary, judged by the oracle: sweeps with reviewed results, attacks without end, fuzz."""
import os
import re
import time

import guests
import oracle
import pytest
from guests import module_stations, stations  # noqa: F811,F401 (fixtures)

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(os.path.dirname(HERE), "golden")
PROGRAMS = ("evil", "fuzz", "canary", "hello")
ROM_AT = 0x20000000
# A block of RAM without access flag, as a first-level descriptor: hardware would like to set it.
ROM = (0x40000305).to_bytes(8, "little") * 512
ROM_NODE = f"""
rom@{ROM_AT:x} {{
	device_type = "memory";
	read-only;
	bulkhead,file = "rom.bin";
	reg = <0 {ROM_AT:#x} 0 0x1000>;
}};
"""
SPARSE_REGIONS = 56
# From its timer to its handler the canary may wait for the longest path of the hypervisor with interrupts off, and for mterm,
# whose priority is higher, to print what a test looks at.
LATE_US = 1000
UART = guests.UART.replace("interrupts", "bulkhead,log-size = <0x10000>;\n\tinterrupts")
WIDE_UART = UART.replace("0 0x1000>", "0 0x8000>")

# Attacks that go together in one machine, and how many VCPUs each has.
GROUPS = {
    "vectors": {"B06.vbar_unmapped": 1, "B06.vbar_device": 1, "B06.vbar_no_address": 1, "C10.entry": 3},
    "calls": {"J04.hvc": 1, "J04.bad_hvc": 1, "J04.sysreg": 1, "J04.abort": 1},
    "power": {"C19.reset": 1, "C22.power": 3, "J09.power": 3, "C14.no_wake": 1},
    "interrupts": {"E14.sgi_storm": 4, "F11.timer_storm": 4, "J03.wfi": 2},
    "silent": {"J01.spin": 2, "J03.events": 1, "A10.watchpoints": 1, "G06.deaf": 1},
    "console": {"I02.terminal": 1, "I05.log": 1, "G09.hammer": 2},
}
ATTACKS = {case: vcpus for group in GROUPS.values() for case, vcpus in group.items()}


def guest_of(case):
    """Return the name of the guest that runs a case."""
    return case.lower().replace(".", "-")


def tree(name, bootargs, vcpus=1, program="evil", uart=UART, mib=16, props=""):
    """Return the DTS of an attacker: ROM, devices and some memory."""
    return guests.dts(name, f'bulkhead,kernel = "{program}.bin"; bulkhead,format = "raw"; {props}',
                      f"vcpus {{ bulkhead,count = <{vcpus}>; }};",
                      aspace=guests.MEMORY.format(size=mib * guests.MIB) + ROM_NODE + uart + guests.RTC,
                      bootargs=f"host=bulkhead rom={ROM_AT:#x} {bootargs}".strip())


def sparse_memory(count):
    """Return nodes of one page each, every one in a table of its own."""
    return "".join(f"memory@{at:x} {{ device_type = \"memory\"; reg = <{at >> 32:#x} {at & 0xffffffff:#x} 0 0x1000>; }};"
                   for at in ((1 + number) << 32 | number << 22 for number in range(count)))


def texts(smp=1):
    """DTS files of all attackers."""
    trees = {oracle.CANARY: oracle.canary_dts(smp), "hello": guests.payload("hello"),
             "sweeper": tree("sweeper", "", vcpus=2), "fuzz": tree("fuzz", "n=20000 seed=1", 2, "fuzz"),
             "sweeper-full": tree("sweeper-full", "full step=1 n=200000", vcpus=4),
             "wide": tree("wide", "case=G02 size=0x8000", uart=WIDE_UART),
             "tags": tree("tags", "case=D04"), "fresh": tree("fresh", "case=D15"),
             "smc-off": tree("smc-off", "case=C02.smc_off"),
             "moving": tree("moving", "case=E25", 2), "mixed": tree("mixed", "case=J06", 2),
             "sleeper": tree("sleeper", "case=F10", 2), "resetter": tree("resetter", "case=G08"),
             "fuzz2": tree("fuzz2", "n=500000 seed=2", 2, "fuzz"),
             "fuzz3": tree("fuzz3", "n=500000 seed=3", 2, "fuzz"),
             "fuzz4": tree("fuzz4", "n=500000 seed=4", 2, "fuzz"),
             "sparse": tree("sparse", "case=F10", uart=UART + sparse_memory(SPARSE_REGIONS)),
             "large": tree("large", "case=F10", mib=384)}
    trees |= {f"bleed{seed}": tree(f"bleed{seed}", f"case=A08 seed={seed}") for seed in (1, 2)}
    trees |= {guest_of(case): tree(guest_of(case), f"case={case} ms=600000", vcpus)
              for case, vcpus in ATTACKS.items()}
    return {f"{name}.dts": text for name, text in trees.items()} | {"rom.bin": ROM}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """station(gic, cpu, smp): a machine whose bundle has all attackers; only one runs at a time."""
    def get(gic=3, cpu="cortex-a72", smp=1, **settings):
        key = f"gic{gic}-{cpu}-smp{smp}" + "-icount" * ("icount" in settings)
        if key not in stations.machines:
            stations.drop()
        return stations.get(key, guests.payload_files(output, *PROGRAMS), texts(smp), selftest=True,
                            gic=gic, cpu=cpu, smp=smp, **settings)
    return get


def golden(name):
    """Return the lines of a reviewed file, without comments."""
    with open(os.path.join(GOLDEN, name), encoding="ascii") as file:
        lines = [line.partition("#")[0].strip() for line in file]
    return [line for line in lines if line]


def name_of(op0, index):
    """Return the generic name of a system register of a MAP line."""
    return f"S{op0}_{index >> 11 & 7}_C{index >> 7 & 15}_C{index >> 3 & 15}_{index & 7}"


def register_map(text):
    """Return {name: what is possible} as the sweeps have printed it."""
    found = {}
    for op0, words in re.findall(r"^MAP(\d) ((?:[0-9a-f]{4}[rwa]+ ?)+)$", text, re.M):
        for word in words.split():
            found[name_of(int(op0), int(word[:4], 16))] = word[4:]
    return found


def expected_map(cpu, gic):
    """Return the same from the golden file; lines of GICv3's registers count on GICv3 only."""
    rows = [line.split() for line in golden(f"sysreg-{cpu}.txt")]
    return {row[0]: row[1] for row in rows if gic == 3 or row[2:] != ["gicv3"]}


def verdicts(text):
    """Return {case: PASS or SKIP} of a payload's output."""
    return {name: verdict for verdict, name in re.findall(r"^(PASS|FAIL|SKIP) (\S+)", text, re.M)}


def expected_verdicts(gic):
    """Return the same from the golden file: GICv3-only cases are skipped on GICv2."""
    rows = [line.split() for line in golden("hostile-cases.txt")]
    return {row[0]: "SKIP" if gic == 2 and row[1:] == ["gicv3"] else "PASS" for row in rows}


def finish(one, name, timeout=120):
    """Wait for a payload's end; return all that it has said."""
    guests.console(one, name, r"^SUMMARY ", timeout)
    text = one.cmd(f"vserial log {name}/uart0")
    failures = re.findall(r"^FAIL .*$", text, re.M)
    assert not failures, "\n".join(failures)
    return text


def check_sweeps(one, gic, cpu, name="sweeper"):
    """Every call, register and device register tried by force: each case's verdict and each register's result."""
    with oracle.watch(one, f"sweeps-{cpu}-gic{gic}", name) as watched:
        text = finish(one, name, 240)
        watched.look()
    assert verdicts(text) == expected_verdicts(gic)
    assert register_map(text) == expected_map(cpu, gic)


def check_attack(one, name, cases, seconds, late_us=None):
    """Attacks without end, together: eight points, then they are destroyed."""
    with oracle.watch(one, name, *map(guest_of, cases), late_us=late_us) as watched:
        for _ in range(seconds):
            watched.look()


@pytest.mark.parametrize("gic,cpu", [(3, "cortex-a72"), (2, "cortex-a72"), (3, "max")])
def test_sweeps(station, gic, cpu):
    """The cases that end, all in one guest."""
    check_sweeps(station(gic, cpu), gic, cpu)


@pytest.mark.parametrize("name", GROUPS)
def test_attacks(station, name):
    """The cases that do not end, several at once."""
    check_attack(station(), name, GROUPS[name], 1)


def test_fuzz(station):
    """Random operations on two VCPUs."""
    one = station()
    with oracle.watch(one, "fuzz", "fuzz") as watched:
        text = finish(one, "fuzz")
        watched.look()
    assert re.search(r"^fuzz: executed \d+ aborted \d+ undefined \d+ hash 0x[0-9a-f]+$", text, re.M)


def test_a08_no_register_of_another(station):
    """Two guests that share a CPU write all registers of their context; neither sees the other's."""
    one = station()
    with oracle.watch(one, "A08", "bleed1", "bleed2"):
        for name in ("bleed1", "bleed2"):
            assert verdicts(finish(one, name)) == {"A08.bleed": "PASS"}


def test_c02_firmware_is_the_guests_own(station):
    """SYSTEM_OFF by SMC ends the guest, not the machine."""
    one = station()
    with oracle.watch(one, "C02", "smc-off") as watched:
        one.cmd_until("guest info smc-off", r"^state: +halted$", 20)
        watched.look()


def test_c19_resets_become_slow(station):
    """A guest that resets itself at once is started less and less often."""
    one = station()
    with oracle.watch(one, "C19", "c19-reset") as watched:
        time.sleep(3)
        count = int(re.search(r"^resets: +(\d+)$", one.cmd("guest info c19-reset"), re.M).group(1))
        watched.figures["resets"] = count
        assert 1 <= count <= 10
        watched.look()


def check_operator(one, name, rounds, what):
    """Pause and resume a guest at any moment; it is in the state that was asked for, every time."""
    with oracle.watch(one, f"{what}-operator", name) as watched:
        for _ in range(rounds):
            assert one.cmd(f"guest pause {name}") == ""
            one.cmd_until(f"guest info {name}", r"^state: +paused$", 5, every=0)
            assert one.cmd(f"guest resume {name}") == ""
            one.cmd_until(f"guest info {name}", r"^state: +running$", 5, every=0)
        watched.look()


@pytest.mark.parametrize("what,name", [("C22", "c22-power"), ("E25", "moving"), ("J06", "mixed")])
def test_operator_interferes(station, what, name):
    """VCPUs that go on and off, get interrupts, sleep, while the guest is paused and resumed."""
    check_operator(station(), name, 15, what)


def test_e25_interrupts_to_a_paused_vcpu(station):
    """What is sent to a VCPU that is paused is there when it goes on; halted ones forget."""
    one = station()
    with oracle.watch(one, "E25", "moving") as watched:
        guests.console(one, "moving", r"E25 sent 1000 ")
        assert one.cmd("vcpu pause moving/1") == ""
        watched.look()
        assert one.cmd("vcpu resume moving/1") == ""
        sent = int(re.findall(r"E25 sent (\d+)", one.cmd("vserial dump moving/uart0"))[-1])
        guests.console(one, "moving", rf"E25 sent {sent + 1000} ")
        assert one.cmd("vcpu halt moving/1") == ""
        watched.look()


def reset_rounds(one, rounds):
    """Reset and destroy guests that sleep on timers, near and far."""
    before = guests.census(one)
    for number in range(rounds):
        guests.create(one, "sleeper")
        if number % 4 == 0:
            guests.console(one, "sleeper", "F10 sleeps")
        if number % 2:
            assert one.cmd("guest reset sleeper") == ""
        guests.destroy(one, "sleeper")
    guests.settled(one, before)


def test_f10_destroyed_asleep(station):
    """Timers go with their guests, and nothing is called afterwards."""
    reset_rounds(station(), 10)


def test_g02_region_larger_than_the_device(station):
    """What is in a device's region and not in its registers; and a region that is too small is refused."""
    one = station()
    text = one.cmd("guest create wide")
    if "created" not in text:
        assert re.search(r"uart0@9000000: reg: ", text), text
        return
    assert one.cmd("guest kick wide") == ""
    finish(one, "wide")
    guests.destroy(one, "wide")


def test_g06_input_that_nobody_reads(station):
    """The operator types more than a FIFO holds to a guest that is deaf: bounded, and told."""
    one = station()
    before = guests.census(one)
    guests.create(one, "g06-deaf")
    guests.console(one, "g06-deaf", "G06 deaf")
    for _ in range(30):
        one.cmd("vserial send g06-deaf/uart0 '" + "x" * 60 + "'")
    assert "g06-deaf" in one.cmd("guest list")
    guests.destroy(one, "g06-deaf")
    guests.settled(one, before)


def test_g08_reset_empties_the_device(station):
    """Bytes and interrupt of an earlier life are gone after a reset."""
    one = station()
    with guests.running(one, "resetter"):
        guests.console(one, "resetter", "G06 deaf")
        one.cmd("vserial send resetter/uart0 '" + "left behind " * 4 + "'")
        assert one.cmd("guest reset resetter") == ""
        guests.console(one, "resetter", r"(?s)G06 deaf.*G08 left 0 raw 0x0 pending 0.*G06 deaf")


def test_g09_destroyed_while_accessing(station):
    """Guests whose VCPUs are in their devices' registers are destroyed there."""
    one = station(smp=2)
    before = guests.census(one)
    for _ in range(6):
        guests.create(one, "g09-hammer")
        guests.console(one, "g09-hammer", "G09 hammers")
        guests.destroy(one, "g09-hammer")
    guests.settled(one, before)


def test_d15_memory_is_clean(station):
    """Tags that a guest has put into all its memory are not found by the next."""
    one = station()
    with oracle.watch(one, "D04", "tags"):
        assert verdicts(finish(one, "tags")) == {"D04.tags": "PASS"}
    with oracle.watch(one, "D15", "fresh"):
        assert verdicts(finish(one, "fresh")) == {"D15.clean": "PASS"}


def create_rounds(one, rounds):
    """More lives of guests than there are 8-bit VMIDs, beside a canary."""
    with oracle.watch(one, "D16", "j01-spin") as watched:
        for _ in range(rounds):
            guests.create(one, "hello")
            guests.destroy(one, "hello")
        watched.look()


@pytest.mark.long
def test_d16_three_hundred_guests(station):
    """VMIDs come round; the others notice nothing."""
    create_rounds(station(), 300)


def test_j10_large_guest_goes(station):
    """A large guest is reset and destroyed; nobody waits for it."""
    one = station()
    with oracle.watch(one, "J10", "large") as watched:
        guests.console(one, "large", "F10 sleeps")
        assert one.cmd("guest reset large", timeout=60) == ""
        watched.look()


@pytest.mark.long
def test_j10_in_virtual_time(station):
    """Its memory is cleared in pieces that others hardly notice."""
    one = station(icount=True)
    with oracle.watch(one, "J10-icount", guest_of("G06.deaf"), late_us=LATE_US) as watched:
        guests.create(one, "large", kick=False)
        watched.look()
        guests.destroy(one, "large")
        watched.look()


@pytest.mark.long
def test_d18_many_regions(station):
    """As many regions as a guest can have, each far from the others; all comes back."""
    one = station()
    with oracle.watch(one, "D18", "sparse") as watched:
        guests.console(one, "sparse", "F10 sleeps")
        watched.look()


@pytest.mark.long
@pytest.mark.parametrize("case", ATTACKS)
def test_attack_alone(station, case):
    """Each attack without end by itself, on two CPUs that are truly parallel."""
    check_attack(station(smp=2), case, [case], 5)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in GROUPS if name != "vectors"])
def test_attacks_in_virtual_time(station, name):
    """
    The canary's lateness in instructions: bounded, whatever the others do. Not with vectors that cannot be fetched: exceptions
    without end retire no instruction, and virtual time stands still.
    """
    check_attack(station(icount=True), f"{name}-icount", GROUPS[name], 1, late_us=LATE_US)


@pytest.mark.long
@pytest.mark.parametrize("gic,cpu,smp", [(2, "max", 1), (3, "cortex-a72", 2), (2, "cortex-a72", 2)])
def test_sweeps_elsewhere(station, gic, cpu, smp):
    """The sweeps on the other machines."""
    check_sweeps(station(gic, cpu, smp), gic, cpu, "sweeper-full")


@pytest.mark.long
@pytest.mark.parametrize("gic,cpu,smp,seed", [(3, "cortex-a72", 1, 2), (2, "cortex-a72", 2, 3), (3, "max", 2, 4)])
def test_fuzz_a_million(station, gic, cpu, smp, seed):
    """A million random operations by two VCPUs."""
    one = station(gic, cpu, smp)
    with oracle.watch(one, f"fuzz-{cpu}-gic{gic}-smp{smp}", f"fuzz{seed}") as watched:
        finish(one, f"fuzz{seed}", 600)
        watched.look()


@pytest.mark.long
def test_fuzz_is_repeated(station):
    """With instructions as time the same seed does the same."""
    one = station(icount=True)
    hashes = set()
    for _ in range(2):
        with guests.running(one, "fuzz"):
            hashes.add(re.search(r"hash (0x[0-9a-f]+)", finish(one, "fuzz")).group(1))
    assert len(hashes) == 1, hashes


@pytest.mark.long
def test_f10_destroyed_asleep_long(station):
    """The same for long, on two CPUs."""
    reset_rounds(station(smp=2), 300)


def sources(*folder):
    """Return the text of all sources below a folder of the tests."""
    parts = []
    for where, _, names in os.walk(os.path.join(os.path.dirname(HERE), *folder)):
        for name in names:
            if name.endswith((".c", ".py")):
                with open(os.path.join(where, name), encoding="utf-8") as file:
                    parts.append(file.read())
    return "\n".join(parts)


def test_every_case_is_told():
    """docs/hostile.md names every case, and only what exists."""
    with open(os.path.join(HERE, "..", "..", "docs", "hostile.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| ([A-J]\d\d) \|.*\| ([^|]*) \|$", file.read(), re.M)
    told = {number: re.findall(r"`([^`]+)`", proofs) for number, proofs in rows}
    assert len(told) == len(rows), "a case has two rows"
    register = r'TEST_CASE(?:_BY_NAME)?\("([\w.]+)"'
    evil = set(re.findall(register, sources("guests", "evil")))
    exists = evil | set(re.findall(register, sources("guests", "conform")))
    exists |= set(re.findall(r"^def (test_\w+)", sources("system"), re.M))
    named = {proof for proofs in told.values() for proof in proofs}
    assert named <= exists, named - exists
    assert evil <= named, evil - named
    assert all(case.partition(".")[0] in told for case in evil)
    assert {case for group in GROUPS.values() for case in group} <= evil
