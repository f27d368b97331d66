/** A frame is type (1 byte), stream (4), length (4), payload; numbers are big-endian. */
export const kinds = {
  hello: 1,
  accept: 2,
  refuse: 3,
  open: 4,
  data: 5,
  end: 6,
  reset: 7,
  stop: 8,
  credit: 9,
  close: 10,
  ping: 11,
} as const;
export const headerBytes = 9;
/** Checked before anything is kept for a frame. */
export const frameBytesMax: number = 64 * 1024;

export const uint32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);

/** A turn of its own for each callback, in order; promises settle in between. */
export const later = (callback: () => void): void => void setImmediate(callback);

export function checkCode(code: number): void {
  if (!Number.isInteger(code) || code < 0 || code > 0xffff_ffff) throw new RangeError(`A code is a whole number below 2^32, not ${code}.`);
}
