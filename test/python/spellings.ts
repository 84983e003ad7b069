// The ways to write a baggage key of ours that some reader undoes. Made from what `urllib.parse.unquote_plus` and
// `str.strip` of Python treat specially, plus what other readers drop.
import { BAGGAGE_KEY, MSE_BAGGAGE_KEY } from '@laneway/core/internal'

/** What an outsider sends: header lines, with values as bytes in Latin-1. */
export interface Spoof {
  readonly name: string
  readonly lines: readonly (readonly [string, string])[]
}

/** What `str.strip` takes away: every character that Python calls white space. */
const STRIPPED = [
  ...[...range(0x09, 0x0d), ...range(0x1c, 0x20), 0x85, 0xa0, 0x1680],
  ...[...range(0x2000, 0x200a), 0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
].map(code => String.fromCodePoint(code))
/** Not seen, but not stripped by Python: other readers drop these. */
const UNSEEN = ['\0', '\x01', '\x1b', '\x7f', '\x80', '\xad', '\u180e', '\u200b', '\u200e', '\u2060', '\ufeff']

const VALUES = {
  [BAGGAGE_KEY]: 'gray',
  [MSE_BAGGAGE_KEY]: '%5B%7B%22name%22%3A%22gray%22%2C%22tag%22%3A%22gray%22%7D%5D',
}
export type OwnKey = keyof typeof VALUES
export const OWN_KEYS: readonly OwnKey[] = [BAGGAGE_KEY, MSE_BAGGAGE_KEY]

/** A member that names the lane gray, with its key spelled in some way. */
export function member(key: OwnKey, spelling: string = key): string {
  return `${spelling}=${VALUES[key]}`
}

/** Every spelling, each in one of the shapes that a header can have. */
export function spoofs(): Spoof[] {
  const list: Spoof[] = []
  for (const key of OWN_KEYS) {
    for (const [index, spelling] of spellings(key).entries()) {
      const shape = SHAPES[index % SHAPES.length]!
      const lines = shape(member(key, spelling))
      list.push({ name: `${JSON.stringify(lines)}`, lines })
    }
    for (const shape of SHAPES) {
      for (const spelling of [key, `+${key}`, `${key}+`]) {
        const lines = shape(member(key, spelling))
        list.push({ name: JSON.stringify(lines), lines })
      }
    }
  }
  return list
}

type Lines = [string, string][]
const baggage = (...values: string[]): Lines => values.map(value => ['baggage', value])
const SHAPES: readonly ((member: string) => Lines)[] = [
  one => baggage(one),
  one => baggage(`a=1,${one}`),
  one => baggage(`${one},b=2`),
  one => baggage(`a=1 , ${one} ,b=2`),
  one => baggage(`${one};p=1;q`),
  one => baggage(one.replace('=', ' = ')),
  one => baggage(one.replace('=', '\t=\t')),
  one => baggage(`,,${one},`),
  one => baggage('a=1', one),
  one => baggage(one, 'b=2'),
  one => [
    ['Baggage', 'a=1'],
    ['BAGGAGE', one],
    ['baggage', 'b=2'],
  ],
  one => baggage(`%zz=1,%,${one},+=+,c=%E0%A4`),
  one => baggage(`${one},${one.replace('=', '=x')},${one}`),
  one => baggage(Array(20).fill(one).join(',')),
  one => [...Array.from({ length: 40 }, (_, index): [string, string] => [`x-${index}`, 'y']), ['baggage', one]],
]

function spellings(key: OwnKey): string[] {
  const list = new Set<string>()
  const upper = key.toUpperCase()
  const middle = key.length >> 1
  const inside = (text: string) => key.slice(0, middle) + text + key.slice(middle)
  for (const plus of ['+', '++', '+ +', '%2B', '%2b', '%252B', '+%20+', '\t+']) {
    for (const one of [plus + key, key + plus, plus + key + plus, inside(plus)]) list.add(one)
  }
  for (const character of [...STRIPPED, ...UNSEEN]) {
    const once = escaped(character)
    const forms = [once, once.toLowerCase(), once.replaceAll('%', '%25'), once + once, `+${once}`]
    // A header line carries bytes, but for most controls.
    const bytes = Buffer.from(character)
    if (bytes.every(byte => byte >= 0x80 || byte === 0x20 || byte === 0x09)) forms.push(bytes.toString('latin1'))
    for (const form of forms) for (const one of [form + key, key + form, form + key + form]) list.add(one)
    list.add(inside(once))
    list.add(once + upper)
  }
  for (let index = 0; index < key.length; index++) {
    const [before, letter, after] = [key.slice(0, index), key[index]!, key.slice(index + 1)]
    const once = escaped(letter)
    for (const form of [once, once.toLowerCase(), deeper(once), deeper(deeper(once)), escapedDigits(once)]) {
      list.add(before + form + after)
    }
    list.add(before + letter.toUpperCase() + after)
    list.add(before + escaped(letter.toUpperCase()) + after)
  }
  for (const text of [key, upper]) {
    list.add(escaped(text))
    list.add(escaped(text).toLowerCase())
    list.add(deeper(escaped(text)))
    list.add(`+${escaped(text)}%A0`)
    // Written as it is decoded, an escaped separator makes another member, or ends the key.
    for (const separator of ['%2C', '%2c', '%252C', '%2C%20', '+%2C+']) {
      for (const one of [`a${separator}${text}`, `${separator}${text}`, `${text}${separator}b`]) list.add(one)
      list.add(`a%3D1${separator}${text}%3Dgray${separator}b`)
    }
    for (const end of ['%3D', '%3B', '%3Bp', '%3Dgray']) list.add(text + end)
  }
  const random = generator(key.length)
  const parts = [...STRIPPED.map(escaped), '+', '%2B', '%20', ' ', '\t', '%252B', '%2520', '%00']
  for (let count = 0; count < 100; count++) {
    let text = ''
    for (const letter of key) {
      const choice = random(12)
      text +=
        choice === 0
          ? escaped(letter)
          : choice === 1
            ? deeper(escaped(letter))
            : choice === 2
              ? letter.toUpperCase()
              : letter
    }
    for (let around = random(4); around > 0; around--) text = parts[random(parts.length)]! + text
    for (let around = random(4); around > 0; around--) text += parts[random(parts.length)]!
    list.add(text)
  }
  return [...list]
}

/** Every byte of the text as an escape. */
function escaped(text: string): string {
  return [...Buffer.from(text)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

function deeper(text: string): string {
  return text.replaceAll('%', '%25')
}

/** `%2D` as `%%32D`, which is an escape once its digit is undone. */
function escapedDigits(text: string): string {
  return text.replace(/%(.)/, (_, digit: string) => `%${escaped(digit)}`)
}

/** The same numbers in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
