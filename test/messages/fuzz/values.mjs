// What a program or a stranger may put under the header, and the lane that it means; `undefined` for none.

/** `kind` is what a client must be able to send: `laned` producers remove a value that is no lane before the client sees it. */
export const VALUES = [
  { kind: 'text', value: 'green', lane: 'green' },
  { kind: 'text', value: 'gray-2,gray', lane: 'gray-2,gray' },
  { kind: 'text', value: 'base', lane: 'base' },
  { kind: 'text', value: '', lane: undefined },
  { kind: 'text', value: '-', lane: undefined },
  { kind: 'text', value: 'a,b,c,d,e', lane: undefined },
  { kind: 'text', value: 'gräy', lane: undefined },
  { kind: 'text', value: '__proto__', lane: undefined },
  { kind: 'text', value: 'x'.repeat(300), lane: undefined },
  { kind: 'long', value: 'x'.repeat(50_000), lane: undefined },
  { kind: 'bytes', value: Buffer.from('green'), lane: 'green' },
  { kind: 'bytes', value: Buffer.alloc(0), lane: undefined },
  { kind: 'bytes', value: Buffer.alloc(256, 'a'), lane: undefined },
  { kind: 'bytes', value: Buffer.from([0xff, 0xfe]), lane: undefined },
  { kind: 'list', value: ['green', 'green'], lane: 'green' },
  { kind: 'list', value: ['green', 'blue'], lane: undefined },
  { kind: 'any', value: [], lane: undefined },
  { kind: 'any', value: [['green']], lane: undefined },
  { kind: 'any', value: 42, lane: undefined },
  { kind: 'any', value: true, lane: undefined },
  { kind: 'any', value: { 'x-mse-tag': 'green' }, lane: undefined },
]
export const LANES = [undefined, undefined, 'gray', 'red', 'gray-2,gray']
