// Sends samples to a Prometheus by remote write 1.0: protobuf in snappy's block format, of which only
// literals are used. For peers of a bench, which time what lies behind it.

import assert from 'node:assert/strict';

const varint = (number) => {
  const bytes = [];
  for (let rest = BigInt(number); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
};

// A field of wire type 2: a message or a string.
const field = (number, bytes) =>
  Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);

export const encodeLabels = (labels) => Buffer.concat(Object.entries(labels).sort().map(
  ([name, value]) => field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]))));

function encodeSample(timeMs, value) {
  const number = Buffer.alloc(9);
  number[0] = (1 << 3) | 1;
  number.writeDoubleLE(value, 1);
  return field(2, Buffer.concat([number, Buffer.from([2 << 3]), varint(timeMs)]));
}

function snappy(bytes) {
  const parts = [varint(bytes.length)];
  for (let at = 0; at < bytes.length; at += 65536) {
    const literal = bytes.subarray(at, at + 65536);
    const head = Buffer.from([61 << 2, 0, 0]);  // a literal with two bytes of length - 1
    head.writeUInt16LE(literal.length - 1, 1);
    parts.push(head, literal);
  }
  return Buffer.concat(parts);
}

// One sample time: values[i] belongs to the series of encodedLabels[i].
export async function remoteWrite(url, encodedLabels, timeMs, values) {
  const request = Buffer.concat(values.map(
    (value, i) => field(1, Buffer.concat([encodedLabels[i], encodeSample(timeMs, value)]))));
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    headers: { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf',
      'X-Prometheus-Remote-Write-Version': '0.1.0' },
    body: snappy(request),
  });
  assert.equal(response.status, 204, await response.text());
}
