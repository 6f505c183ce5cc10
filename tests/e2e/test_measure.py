"""`coffer measure` against computations of their own, written from the specifications in another language."""

import hashlib
import json
import struct
import uuid
import zlib

from conftest import BIN, run


def measure(*arguments):
    return json.loads(run(BIN / "coffer", "measure", *arguments).stdout)


def sha384(data):
    return hashlib.sha384(data).digest()


def extend(digest):
    return sha384(bytes(48) + digest).hex()


# ---- Nitro enclave images


def enclave_image(sections):
    body, places = b"", []
    for kind, content in sections:
        places.append((548 + len(body), len(content)))
        body += struct.pack(">HHQ", kind, 0, len(content)) + content
    places += [(0, 0)] * (32 - len(places))
    head = b".eif" + struct.pack(">HHQQHH", 4, 0, 0, 2, 0, len(sections))
    head += b"".join(struct.pack(">Q", offset) for offset, _ in places) + b"".join(struct.pack(">Q", size) for _, size in places)
    head += struct.pack(">I", 0)
    return head + struct.pack(">I", zlib.crc32(head + body)) + body


def test_nitro_registers_are_hashes_of_the_parts_extended_into_zeros(tmp_path):
    kernel, command_line, boot, application = b"k" * 5000, b"reboot=k", b"boot" * 999, b"app" * 7777
    image = tmp_path / "app.eif"
    image.write_bytes(enclave_image([(1, kernel), (2, command_line), (5, b"{}"), (3, boot), (3, application)]))
    assert measure("nitro", image) == {"nitro_pcr0": [extend(sha384(kernel + command_line + boot + application))],
                                       "nitro_pcr1": [extend(sha384(kernel + command_line + boot))],
                                       "nitro_pcr2": [extend(sha384(application))]}


# ---- firmware with tables at its end


def firmware(pages, descriptors, entries=()):
    """`descriptors`: GUID to bytes, which an entry of the table points to; `entries`: GUID to bytes of the entry itself."""
    image = bytearray(bytes(range(256)) * 16 * pages)
    table, place = b"", 2048
    for guid, content in entries:
        table += content + struct.pack("<H", len(content) + 18) + uuid.UUID(guid).bytes_le
    for guid, content in descriptors:
        image[len(image) - place:len(image) - place + len(content)] = content
        table += struct.pack("<IH", place, 22) + uuid.UUID(guid).bytes_le
        place -= 512
    table += struct.pack("<H", len(table) + 18) + uuid.UUID("96b582de-1fb2-45f7-baea-a366c55a082d").bytes_le
    image[len(image) - 32 - len(table):len(image) - 32] = table
    return bytes(image)


class LaunchDigest:
    """SNP firmware ABI 8.17.2."""

    def __init__(self):
        self.value = bytes(48)

    def add(self, kind, address, digest=bytes(48)):
        self.value = sha384(self.value + digest + struct.pack("<HB5xQ", 0x70, kind, address))


def save_area(eip, signature, features):
    page = bytearray(4096)
    segment = lambda offset, selector, flags, base=0: struct.pack_into("<HHIQ", page, offset, selector, flags, 0xffff, base)
    for offset in (0, 0x20, 0x30, 0x40, 0x50):
        segment(offset, 0, 0x93)
    segment(0x10, 0xf000, 0x9b, eip & 0xffff0000)
    for offset, flags in ((0x60, 0), (0x70, 0x82), (0x80, 0), (0x90, 0x8b)):
        segment(offset, 0, flags)
    for offset, value in {0xd0: 0x1000, 0x148: 0x40, 0x158: 0x10, 0x160: 0x400, 0x168: 0xffff0ff0, 0x170: 2, 0x178: eip & 0xffff,
                          0x268: 0x7040600070406, 0x310: signature, 0x3b0: features, 0x3e8: 1}.items():
        struct.pack_into("<Q", page, offset, value)
    struct.pack_into("<I", page, 0x408, 0x1f80)
    struct.pack_into("<H", page, 0x410, 0x37f)
    return bytes(page)


def hash_page(kernel, initrd, command_line, offset):
    entry = lambda guid, data: uuid.UUID(guid).bytes_le + struct.pack("<H", 50) + hashlib.sha256(data).digest()
    table = uuid.UUID("9438d606-4f22-4cc9-b479-a793d411fd21").bytes_le + struct.pack("<H", 168)
    table += entry("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", command_line.encode() + b"\0")
    table += entry("44baf731-3a2f-4bd7-9af1-41e29169781d", initrd) + entry("4de79437-abd2-427f-b835-d5b172d2045b", kernel)
    return (bytes(offset) + table).ljust(4096, b"\0")


def test_snp_launch_digest_is_the_chain_over_its_pages(tmp_path):
    sections = ((0x800000, 0x2000, 1), (0x80d000, 0x1000, 2), (0x80e000, 0x1000, 3), (0x810000, 0x1000, 0x10))
    metadata = b"ASEV" + struct.pack("<III", 16 + 12 * len(sections), 1, len(sections))
    metadata += b"".join(struct.pack("<III", *section) for section in sections)
    image = firmware(3, [("dc886566-984a-4798-a75e-5585a7bf67cc", metadata)],
                     [("7255371f-3a3b-4b04-927b-1da6efa8d454", struct.pack("<II", 0x810c00, 0x400)),
                      ("00f771de-1a7e-4fcb-890e-68c77e2fb44e", struct.pack("<I", 0x80b004))])
    kernel, initrd = b"kernel" * 1000, b"initrd" * 1000
    for name, content in (("fw", image), ("k", kernel), ("i", initrd)):
        (tmp_path / name).write_bytes(content)
    digest = LaunchDigest()
    for offset in range(0, len(image), 4096):
        digest.add(1, 2**32 - len(image) + offset, sha384(image[offset:offset + 4096]))
    for kind, address in ((3, 0x800000), (3, 0x801000), (5, 0x80d000), (6, 0x80e000)):
        digest.add(kind, address)
    digest.add(1, 0x810000, sha384(hash_page(kernel, initrd, "quiet", 0xc00)))
    genoa = 0xa10f10
    for eip in (0xfffffff0, 0x80b004, 0x80b004):
        digest.add(2, 0xfffffffff000, sha384(save_area(eip, genoa, 1)))
    assert measure("snp", "--firmware", tmp_path / "fw", "--cpu-type", "EPYC-Genoa", "--cpus", 3, "--kernel", tmp_path / "k",
                   "--initrd", tmp_path / "i", "--append", "quiet") == {"snp_launch_measurement": [digest.value.hex()]}


def test_tdx_mrtd_is_the_hash_of_pages_added_and_measured(tmp_path):
    metadata = b"TDVF" + struct.pack("<III", 16 + 64, 1, 2)
    metadata += struct.pack("<IIQQII", 4096, 8192, 0xffffe000, 8192, 0, 1) + struct.pack("<IIQQII", 0, 0, 0x809000, 4096, 3, 0)
    image = firmware(3, [("e47a6535-984a-4798-865e-4685a7bf8ec2", metadata)])
    (tmp_path / "fw").write_bytes(image)
    operation = lambda name, address: name.ljust(16, b"\0") + struct.pack("<Q", address) + bytes(104)
    log = b""
    for page in range(0, 8192, 4096):
        log += operation(b"MEM.PAGE.ADD", 0xffffe000 + page)
        for chunk in range(page, page + 4096, 256):
            log += operation(b"MR.EXTEND", 0xffffe000 + chunk) + image[4096 + chunk:4096 + chunk + 256]
    log += operation(b"MEM.PAGE.ADD", 0x809000)
    assert measure("tdx", "--firmware", tmp_path / "fw") == {"mr_td": [sha384(log).hex()]}


def test_what_is_no_launch_is_refused_by_name(tmp_path):
    (tmp_path / "text").write_text("text")
    for arguments, code in ((("nitro", tmp_path / "text"), "measure.bad_eif"),
                            (("snp", "--firmware", tmp_path / "text"), "measure.bad_firmware"),
                            (("tdx", "--firmware", tmp_path / "text"), "measure.bad_firmware"),
                            (("vm", tmp_path), "vm.bad_image"),
                            (("tpm", tmp_path / "text"), "eventlog.")):
        result = run(BIN / "coffer", "measure", *arguments, check=False)
        assert result.returncode == 1 and code in result.stderr, result.stderr
