import { createServer } from 'node:http'
import { PassThrough, Readable, Writable } from 'node:stream'
import { currentLane, runInLane } from '@laneway/core'
import { listen } from '@laneway/testkit'
import { endpoint, fakeResolver, type Teardown } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { type Copy, loopback, type UndiciCopy } from './undici-copy.js'

const REQUESTS = 24

/** Notes that a callback has run, and in which lane. */
type Note = (callback: string) => void

interface CallForm {
  /** The callbacks that must have run at least once for each request. */
  readonly callbacks: readonly string[]
  run(undici: UndiciCopy, dispatcher: any, origin: string, note: Note): Promise<unknown>
}

/** Every way in which undici calls the code of its user. */
export const FORMS: Record<string, CallForm> = {
  'request, callback and events of the body': {
    callbacks: ['callback', 'data', 'end', 'close', 'info'],
    run: (_undici, dispatcher, origin, note) =>
      new Promise((resolve, reject) => {
        const options = { origin, path: '/', method: 'GET', onInfo: () => note('info') }
        dispatcher.request(options, (error: unknown, answer: any) => {
          note('callback')
          if (error) return reject(error)
          answer.body.on('data', () => note('data'))
          answer.body.on('end', () => note('end'))
          answer.body.on('close', () => {
            note('close')
            resolve(undefined)
          })
        })
      }),
  },
  'stream, into a writable': {
    callbacks: ['factory', 'write', 'final', 'finish', 'close', 'callback'],
    run: (_undici, dispatcher, origin, note) =>
      new Promise((resolve, reject) => {
        const factory = () => {
          note('factory')
          const sink = new Writable({
            write(_chunk, _encoding, done) {
              note('write')
              done()
            },
            final(done) {
              note('final')
              done()
            },
          })
          sink.on('finish', () => note('finish'))
          sink.on('close', () => note('close'))
          return sink
        }
        dispatcher.stream({ origin, path: '/', method: 'GET' }, factory, (error: unknown) => {
          note('callback')
          if (error) reject(error)
          else setImmediate(resolve)
        })
      }),
  },
  'pipeline, both sides': {
    callbacks: ['handler', 'data', 'end', 'finish', 'written'],
    run: (_undici, dispatcher, origin, note) =>
      new Promise((resolve, reject) => {
        const duplex = dispatcher.pipeline({ origin, path: '/', method: 'POST' }, ({ body }: any) => {
          note('handler')
          return body.pipe(new PassThrough())
        })
        duplex.on('data', () => note('data'))
        duplex.on('finish', () => note('finish'))
        duplex.on('error', reject)
        duplex.on('end', () => {
          note('end')
          resolve(undefined)
        })
        duplex.write('x'.repeat(70_000), () => note('written'))
        duplex.write('x'.repeat(70_000), () => note('written'))
        duplex.end('end')
      }),
  },
  'upgrade, and what its socket receives': {
    callbacks: ['callback', 'data', 'close'],
    run: (_undici, dispatcher, origin, note) =>
      new Promise((resolve, reject) => {
        dispatcher.upgrade(
          { origin, path: '/', method: 'GET', protocol: 'echo' },
          (error: unknown, { socket }: any = {}) => {
            note('callback')
            if (error) return reject(error)
            socket.on('data', () => {
              note('data')
              socket.end()
            })
            socket.on('close', () => {
              note('close')
              resolve(undefined)
            })
            socket.write('x')
          },
        )
      }),
  },
  'connect, and what its socket receives': {
    callbacks: ['callback', 'data', 'close'],
    run: (_undici, dispatcher, origin, note) =>
      new Promise((resolve, reject) => {
        const path = new URL(origin).host
        dispatcher.connect({ origin, path }, (error: unknown, { socket }: any = {}) => {
          note('callback')
          if (error) return reject(error)
          socket.on('data', () => {
            note('data')
            socket.end()
          })
          socket.on('close', () => {
            note('close')
            resolve(undefined)
          })
          socket.write('x')
        })
      }),
  },
  'request, with a generator as body': {
    callbacks: ['generator', 'answered'],
    async run(undici, dispatcher, origin, note) {
      async function* body() {
        for (let part = 0; part < 3; part++) {
          note('generator')
          yield Buffer.from('part')
          await null
        }
      }
      const answer = await undici.request(origin, { dispatcher, method: 'POST', body: body() as never })
      note('answered')
      await answer.body.dump()
    },
  },
  'request, with a stream as body': {
    callbacks: ['read', 'piece', 'ended'],
    async run(undici, dispatcher, origin, note) {
      let left = 3
      const body = new Readable({
        read() {
          note('read')
          this.push(left-- > 0 ? 'part' : null)
        },
      })
      body.on('data', () => note('piece'))
      body.pause()
      body.on('end', () => note('ended'))
      await (await undici.request(origin, { dispatcher, method: 'POST', body })).body.dump()
    },
  },
  'fetch, with a web stream as body': {
    callbacks: ['pull', 'read'],
    async run(undici, dispatcher, origin, note) {
      let left = 3
      const body = new ReadableStream({
        pull(controller) {
          if (left < 3) note('pull')
          if (left-- > 0) controller.enqueue(Buffer.from('part'))
          else controller.close()
        },
      })
      const answer = await undici.fetch(origin, { dispatcher, method: 'POST', body, duplex: 'half' } as never)
      const reader = answer.body!.getReader()
      while (!(await reader.read()).done) note('read')
    },
  },
  'dispatch, handler of undici 6 and 7': {
    // Between interceptors undici 7 does not pass on what it sends.
    callbacks: ['onConnect', 'onHeaders', 'onData', 'onComplete'],
    run: (_undici, dispatcher, origin, note) =>
      new Promise((resolve, reject) => {
        dispatcher.dispatch(
          { origin, path: '/', method: 'POST', body: 'whole' },
          {
            onConnect: () => note('onConnect'),
            onHeaders(status: number) {
              if (status >= 200) note('onHeaders')
              return true
            },
            onData() {
              note('onData')
              return true
            },
            onComplete() {
              note('onComplete')
              resolve(undefined)
            },
            onError: reject,
            onBodySent: () => note('onBodySent'),
            onRequestSent: () => note('onRequestSent'),
          },
        )
      }),
  },
  'dispatch, handler of undici 7 and 8': {
    callbacks: ['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd'],
    run: (_undici, dispatcher, origin, note) =>
      new Promise((resolve, reject) => {
        dispatcher.dispatch(
          { origin, path: '/', method: 'POST', body: 'whole' },
          {
            onRequestStart: () => note('onRequestStart'),
            onResponseStart: (_controller: unknown, status: number) => status >= 200 && note('onResponseStart'),
            onResponseData: () => note('onResponseData'),
            onResponseEnd() {
              note('onResponseEnd')
              resolve(undefined)
            },
            onResponseError: (_controller: unknown, error: unknown) => reject(error),
          },
        )
      }),
  },
}

/** Forms that a generation does not know. */
export const excluded = (major: number, form: string): boolean =>
  (major === 6 && form.includes('7 and 8')) || (major === 8 && form.includes('6 and 7'))

/** Answers slowly, with an information, in two pieces; echoes on tunnels and upgrades. */
async function echoServer(t: Teardown): Promise<number> {
  const server = createServer(async (request, response) => {
    for await (const _ of request) {
      // read to the end
    }
    if (request.method === 'GET') response.writeEarlyHints({ link: '</a>; rel=preload' })
    response.write('one')
    setTimeout(() => response.end('two'), 2)
  })
  const echo = (head: string) => (_request: unknown, socket: any) => {
    socket.on('error', () => {})
    socket.write(head)
    socket.pipe(socket)
  }
  server.on('upgrade', echo('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n'))
  server.on('connect', echo('HTTP/1.1 200 OK\r\n\r\n'))
  return listen(t, server)
}

/**
 * Makes each form of call from three lanes at once, over few connections, and compares the lane in each callback with that
 * of the caller.
 */
export function callbackSuite(
  t: Test,
  copy: Copy,
  make: (resolver: ReturnType<typeof fakeResolver>, options: object) => any,
): void {
  for (const [form, { callbacks, run }] of Object.entries(FORMS)) {
    if (excluded(copy.major, form)) continue
    t.test(`${form}: every callback runs in the lane of its caller`, async t => {
      const port = await echoServer(t)
      const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', port)] })
      const options = { connections: 2, connect: { lookup: loopback } }
      for (const origin of ['http://sc-b', `http://orders:${port}`, `http://third.example:${port}`]) {
        // The target of a tunnel is never replaced.
        if (origin === 'http://sc-b' && form.startsWith('connect')) continue
        const dispatcher = make(resolver, options)
        t.teardown(() => dispatcher.destroy())
        const wrong: string[] = []
        const ran = new Map<string, Set<number>>()
        await Promise.all(
          Array.from({ length: REQUESTS }, (_, index) => {
            const lane = [undefined, 'gray', 'blue'][index % 3]
            const note: Note = callback => {
              ran.set(callback, (ran.get(callback) ?? new Set()).add(index))
              const now = currentLane()?.header
              if (now !== lane) wrong.push(`${callback}: ${now} in place of ${lane}`)
            }
            return runInLane(lane, () => run(copy.undici, dispatcher, origin, note))
          }),
        )
        t.same(wrong, [], origin)
        for (const callback of callbacks) t.equal(ran.get(callback)?.size ?? 0, REQUESTS, `${origin}: ${callback} ran`)
      }
    })
  }
}
