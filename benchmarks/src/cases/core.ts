import { AsyncLocalStorage } from 'node:async_hooks'
import { currentLane, type Lane, parseLane, runInLane } from '@laneway/core'
import { expect, type Row, type Subject, type Table } from '../case.js'

const OPS = 4096

/** Strings as the HTTP parser makes them: flat, their hash not computed, no two the same object. */
function fresh(text: string, count: number): string[] {
  const bytes = Buffer.from(text, 'latin1')
  return Array.from({ length: count }, () => bytes.toString('latin1'))
}

interface Carrier {
  readonly 'user-agent': string
  readonly 'x-mse-tag'?: string
}

function carriers(value: string | undefined): Carrier[] {
  const headers: Carrier[] = []
  const texts = value === undefined ? [] : fresh(value, OPS)
  for (let i = 0; i < OPS; i++) {
    headers.push(value === undefined ? { 'user-agent': 'bench' } : { 'user-agent': 'bench', 'x-mse-tag': texts[i]! })
  }
  return headers
}

function parse(name: string, value: string | undefined, expected: string | undefined): Row {
  return {
    name,
    subject(): Subject {
      let headers = carriers(value)
      return {
        ops: OPS,
        // A second look at the same string finds its hash computed.
        ...(value !== undefined && {
          prepare() {
            headers = carriers(value)
          },
        }),
        run() {
          let lane: Lane | undefined
          for (let i = 0; i < OPS; i++) lane = parseLane(headers[i]!['x-mse-tag'])
          return lane
        },
        check: result => expect((result as Lane | undefined)?.header === expected, `${name} gave ${String(result)}`),
      }
    },
  }
}

const headerRead: Row = {
  name: 'header read',
  floor: true,
  subject() {
    const headers = carriers('gray')
    return {
      ops: OPS,
      run() {
        let length = 0
        for (let i = 0; i < OPS; i++) length += headers[i]!['x-mse-tag']!.length
        return length
      },
      check: result => expect(result === OPS * 4, 'not every header was read'),
    }
  },
}

const storage = new AsyncLocalStorage<Lane | undefined>()
const inside = (value: number): number => value + 1

/** Both sides run as a service does: with contexts in use, and from within an asynchronous callback. */
function running(name: string, floor: boolean, run: (value: number) => number, before?: () => void): Row {
  return {
    name,
    ...(floor && { floor }),
    async subject() {
      await new Promise(resolve => setImmediate(resolve))
      before?.()
      return {
        ops: OPS,
        run() {
          let value = 0
          for (let i = 0; i < OPS; i++) value = run(value)
          return value
        },
        check: result => expect(result === OPS, 'the function did not run every time'),
      }
    },
  }
}

export const core: readonly Table[] = [
  {
    name: 'core/parse',
    about:
      '`parseLane` on header values as the HTTP parser leaves them: new strings whose hash nobody has computed. The floor reads the property.',
    rows: [
      headerRead,
      parse('none', undefined, undefined),
      parse('one', 'gray', 'gray'),
      parse('list', 'gray-2,gray', 'gray-2,gray'),
      parse('invalid', 'gr ay!', undefined),
    ],
    targets: [
      { row: 'none', figure: 'ns', atMost: 5 },
      { row: 'one', figure: 'ns', atMost: 100 },
      { row: 'none', figure: 'bytes', atMost: 0 },
      { row: 'one', figure: 'bytes', atMost: 0 },
      { row: 'list', figure: 'bytes', atMost: 0 },
    ],
  },
  {
    name: 'core/run',
    about:
      '`runInLane` against a bare `AsyncLocalStorage.run` with a constant, and against the plain call where there is no lane.',
    rows: [
      running('bare run', true, value => storage.run(GRAY, inside, value)),
      running('tagged', false, value => runInLane(GRAY, inside, value)),
      running('untagged', false, value => runInLane(undefined, inside, value)),
      running('current', false, value => (currentLane() === undefined ? value + 1 : value)),
    ],
    targets: [
      { row: 'tagged', figure: 'ns', per: 'bare run', atMost: 1.15 },
      { row: 'untagged', figure: 'ns', per: 'bare run', atMost: 1.15 },
    ],
  },
]

const GRAY = parseLane('gray')
