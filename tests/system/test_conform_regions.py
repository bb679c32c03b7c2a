# SPDX-License-Identifier: Apache-2.0
"""Conformance of memory that only a guest's configuration can have: read-only regions and aliases."""
import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

REGIONS = """
rom@50000000 {
	device_type = "memory";
	reg = <0 0x50000000 0 0x200000>;
	read-only;
	bulkhead,file = "conform.bin";
};
table: table@58000000 {
	device_type = "memory";
	reg = <0 0x58000000 0 0x2000>;
};
mirror@5a000000 {
	bulkhead,alias = <&table>;
	reg = <0 0x5a000000 0 0x2000>;
};
mirror@9100000 {
	bulkhead,alias = <&uart0>;
	reg = <0 0x09100000 0 0x1000>;
};
"""
ARGS = "host=bulkhead case=memory.rom,memory.alias rom=0x50000000 alias=0x5a000000 " \
       "alias-of=0x58000000 uart-alias=0x9100000"


@pytest.mark.parametrize("gic,cpu", [(2, "max"), (3, "cortex-a72")])
def test_regions(stations, output, gic, cpu):  # noqa: F811
    """Writes to read-only memory abort and change nothing; an alias has the same bytes and registers."""
    aspace = guests.MEMORY.format(size=16 * guests.MIB) + guests.UART.replace("uart0@", "uart0: uart0@") \
        + REGIONS
    tree = guests.dts("regions", 'bulkhead,kernel = "conform.bin"; bulkhead,format = "raw";',
                      aspace=aspace, bootargs=ARGS)
    one = stations.get(f"gic{gic}-{cpu}", guests.payload_files(output, "conform"),
                       {"regions.dts": tree}, gic=gic, cpu=cpu)
    with guests.running(one, "regions"):
        text = guests.verdict(one, "regions")
    assert "PASS rom.str_x" in text and "PASS alias.device" in text
