import * as grpc from '@grpc/grpc-js'
import { type PathCall, readPath } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'

const config = (policy: object) => ({
  'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{}], ...policy }] }),
})
const RETRY = config({
  retryPolicy: {
    maxAttempts: 3,
    initialBackoff: '0.001s',
    maxBackoff: '0.001s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  },
})
const HEDGE = config({ hedgingPolicy: { maxAttempts: 2, hedgingDelay: '0.001s', nonFatalStatusCodes: [] } })

type Test = Parameters<typeof serve>[0]
type Unary = grpc.handleUnaryCall<string, string>

/** B calls C with the options, and C answers by the handler. */
async function chain(t: Test, unary: Unary, options: object, target = 'sc-c') {
  const named = (name: string) => ({ interceptors: [laneInterceptor({ trace: { name } })] })
  const c = await serve(t, { ...echo('c'), unary }, named('C'))
  const { resolver } = await resolverOf(t, 'sc-c', [{ port: c.port }])
  const toC = client(t, target === 'sc-c' ? target : `${target}:${c.port}`, {
    ...laneChannel({ resolver }),
    ...options,
  })
  const relay: Unary = (_call, done) => void toC.unary().then(value => done(null, value), done)
  const b = await serve(t, { ...echo('b'), unary: relay }, named('B'))
  const user = client(t, `127.0.0.1:${b.port}`, {})
  return async (): Promise<readonly PathCall[] | undefined> => {
    const metadata = new grpc.Metadata()
    metadata.set('x-laneway-trace', '1')
    return new Promise(resolve => {
      const made = user.client['unary']!('x', metadata, () => {}) as grpc.ClientUnaryCall
      made.on('status', ({ metadata }) => resolve(readPath(metadata.getMap())?.calls))
    })
  }
}

const repeated = (attempt: number) => ({ attempt, status: 'repeated', path: undefined })

t.test('a path has each attempt of a retry policy', async t => {
  for (const target of ['sc-c', '127.0.0.1']) {
    let seen = 0
    const refusing: Unary = (_call, done) => {
      if (++seen % 3 === 0) done(null, 'at last')
      else done({ code: grpc.status.UNAVAILABLE, details: 'not yet' })
    }
    const call = await chain(t, refusing, RETRY, target)
    for (let time = 0; time < 2; time++) {
      const calls = await call()
      t.match(calls, [repeated(1), repeated(2), { attempt: 3, status: 'grpc 0', path: { service: 'C' } }], target)
      t.equal(calls?.length, 3)
      t.equal(new Set(calls?.map(({ target, address, outcome }) => `${target} ${address} ${outcome}`)).size, 1)
    }
  }
})

t.test('a path has each attempt of a policy that gives up', async t => {
  const call = await chain(t, (_call, done) => done({ code: grpc.status.UNAVAILABLE }), RETRY)
  t.match(await call(), [repeated(1), repeated(2), { attempt: 3, status: 'grpc 14', path: { service: 'C' } }])
})

t.test('a path has the attempts of a hedging policy up to the one that answered', async t => {
  let seen = 0
  const second: Unary = (_call, done) => {
    if (++seen === 2) done(null, 'the second')
  }
  const call = await chain(t, second, HEDGE)
  t.match(await call(), [repeated(1), { attempt: 2, status: 'grpc 0', path: { service: 'C' } }])
})

t.test('a server that says that it was called before is not believed without a policy', async t => {
  const lying: Unary = (call, done) => {
    const head = new grpc.Metadata()
    head.set('grpc-previous-rpc-attempts', '3')
    call.sendMetadata(head)
    done(null, 'once')
  }
  const calls = await (await chain(t, lying, {}))()
  t.match(calls, [{ attempt: 1, status: 'grpc 0', path: { service: 'C' } }])
  t.equal(calls?.length, 1)
})
