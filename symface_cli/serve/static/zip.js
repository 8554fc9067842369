// An archive of files that are compressed already (APPNOTE.TXT 6.3, method 0).

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});
const UTF8 = 0x0800;  // flag of names
const DATE = 0x21;  // 1 January 1980: the archive says no more than the files do

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

// Numbers as [value, bytes], little-endian.
function pack(...numbers) {
  const packed = new DataView(new ArrayBuffer(numbers.reduce((sum, [, size]) => sum + size, 0)));
  let at = 0;
  for (const [value, size] of numbers) {
    if (size === 4) packed.setUint32(at, value, true);
    else packed.setUint16(at, value, true);
    at += size;
  }
  return packed;
}

// Files are { name, blob }; names that occur twice get a number.
export async function archive(files) {
  const parts = [], entries = [], names = new Set();
  let at = 0;
  for (const { name, blob } of files) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const encoded = new TextEncoder().encode(distinct(name, names));
    const common = [
      [20, 2], [UTF8, 2], [0, 2], [0, 2], [DATE, 2], [checksum(bytes), 4], [bytes.length, 4], [bytes.length, 4],
      [encoded.length, 2], [0, 2],
    ];
    parts.push(pack([0x04034b50, 4], ...common), encoded, bytes);
    entries.push(pack([0x02014b50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), encoded);
    at += 30 + encoded.length + bytes.length;
  }
  const size = entries.reduce((sum, entry) => sum + entry.byteLength, 0);
  const count = entries.length / 2;
  const end = pack([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [at, 4], [0, 2]);
  return new Blob([...parts, ...entries, end], { type: "application/zip" });
}

function distinct(name, names) {
  const [, stem, suffix] = /^(.*?)((?:\.symmetric.*)?\.[^.]*)?$/.exec(name);
  let tried = name;
  for (let count = 2; names.has(tried); count++) tried = `${stem}-${count}${suffix ?? ""}`;
  names.add(tried);
  return tried;
}
