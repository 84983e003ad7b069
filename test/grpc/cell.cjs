// One stack at work: A (this program) calls B, B calls C, each with a base and a gray endpoint; 64 calls in flight.
// Prints a line of JSON for each kind of call. Started by run.mjs with the ports of the four servers.
const { currentLane, parseLane, runInLane } = require('@laneway/core')

const { STACK, WAY, CALLS, CONTROL } = process.env
const ports = JSON.parse(process.env.PORTS)
const LANES = ['gray', 'blue', undefined, 'gray', undefined]
const IN_FLIGHT = 64
/** So often the callers get connections of their own: the first 64 calls of each wait for one. */
const CALLS_A_CLIENT = 200
const KINDS = ['unary', 'collect', 'list', 'chat', 'flaky', 'hedged', 'queued', 'one session']
const now = () => currentLane()?.header ?? '-'
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

if (CONTROL) readLaneWhereHttp2Sends()
const stack = require(`./stacks/${STACK}.cjs`)
const way = require('./ways.cjs')(WAY, ports, CONTROL)

/** The control: what a hook below the client would read. */
function readLaneWhereHttp2Sends() {
  const http2 = require('node:http2')
  const { connect } = http2
  http2.connect = (...args) => {
    const session = connect(...args)
    const { request } = session
    session.request = function (headers, ...rest) {
      const lane = currentLane()
      return request.call(this, lane === undefined ? headers : { ...headers, 'x-mse-tag': lane.header }, ...rest)
    }
    return session
  }
}

const attempts = new Map()
function leaf(side) {
  const said = metadata => `${now()}@C.${side}${metadata === undefined ? '' : `/${metadata.get('x-mse-tag').join()}`}`
  const flaky = async (text, metadata) => {
    const count = (attempts.get(text) ?? 0) + 1
    attempts.set(text, count)
    await sleep(1)
    seenByAttempts(text, said(metadata))
    if (count < 3) throw new Error('try again')
    return said()
  }
  return {
    unary: async () => {
      await sleep(1)
      return said()
    },
    flaky,
    hedged: async (text, metadata) => {
      seenByAttempts(text, said(metadata))
      // The first attempt is overtaken by the second.
      const first = !attempts.has(text)
      attempts.set(text, 1)
      await sleep(first ? 8 : 1)
      return said()
    },
  }
}

/** What every attempt of a call saw: all of them have to see the same. */
const byAttempts = new Map()
function seenByAttempts(text, what) {
  if (!byAttempts.has(text)) byAttempts.set(text, new Set())
  byAttempts.get(text).add(what)
}

function middle(side, toC) {
  const relay = async (method, text) => {
    const before = now()
    const value = await toC()[method](text)
    return `${before}=${now()}@B.${side}>${value}`
  }
  return {
    unary: text => relay('unary', text),
    flaky: text => relay('flaky', text),
    hedged: text => relay('hedged', text),
    one: text => relay('unary', text),
    collected: async parts => [...(await Promise.all(parts)), await relay('unary', 'end')].join('|'),
    async *list(text) {
      for (let part = 0; part < 3; part++) {
        yield await relay('unary', text)
        await sleep(1)
      }
    },
  }
}

function expected(lane, kind) {
  const tag = lane ?? '-'
  const [b, c] = lane === 'gray' && !CONTROL ? ['B.gray', 'C.gray'] : ['B.base', 'C.base']
  const whole = `${tag}=${tag}@${b}>${tag}@${c}`
  return kind === 'list' || kind === 'chat' ? `${tag}<${whole}` : whole
}

let count = 0
async function one(client, kind, lane) {
  const text = `${kind}-${count++}`
  const parts = await runInLane(lane && parseLane(lane), async () => {
    switch (kind) {
      case 'collect':
        return (await client.collect(['1', '2'])).split('|')
      case 'list':
        return client.list('x', now)
      case 'chat':
        return client.chat(['1', '2'], now)
      case 'flaky':
        return [await client.flaky(text)]
      case 'hedged':
        return [await client.hedged(text)]
      default:
        return [await client.unary(text)]
    }
  })
  const wanted = expected(lane, kind)
  const number = { collect: 3, list: 3, chat: 2 }[kind] ?? 1
  const tags = byAttempts.get(text)
  if (tags !== undefined && !CONTROL) {
    const all = [...tags]
    const tag = `${lane ?? '-'}@C.${lane === 'gray' ? 'gray' : 'base'}/${lane ?? ''}`
    if (all.length !== 1 || all[0] !== tag) parts.push(`attempts saw ${all.join(' and ')}`)
  }
  const wrong = parts.filter(part => part !== wanted)
  return { wrong, lost: Math.max(0, number - parts.length), doubled: Math.max(0, parts.length - number - wrong.length) }
}

async function run(kind, connectB) {
  const result = { kind, calls: 0, wrong: 0, lost: 0, doubled: 0, failed: 0, samples: [] }
  const each = kind === 'queued' ? IN_FLIGHT : kind === 'one session' ? Infinity : CALLS_A_CLIENT
  const total = Number(CALLS)
  let client
  while (result.calls < total) {
    client?.close()
    client = connectB(kind !== 'one session')
    way.renew()
    const batch = Math.min(each, total - result.calls)
    let next = 0
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        while (next < batch) {
          const lane = LANES[next++ % LANES.length]
          result.calls++
          try {
            const { wrong, lost, doubled } = await one(client, kind, lane)
            result.wrong += wrong.length
            result.lost += lost
            result.doubled += doubled
            if (wrong.length > 0 && result.samples.length < 3) result.samples.push(`${lane ?? '-'}: ${wrong[0]}`)
          } catch (error) {
            result.failed++
            if (result.samples.length < 3) result.samples.push(`${lane ?? '-'}: ${error.details ?? error.message}`)
          }
        }
      }),
    )
  }
  client?.close()
  attempts.clear()
  byAttempts.clear()
  return result
}

async function main() {
  const [bBase, bGray, cBase, cGray] = ports
  await way.serve(stack, cBase, leaf('base'))
  await way.serve(stack, cGray, leaf('gray'))
  const toC = () => way.clientOfC(stack)
  await way.serve(stack, bBase, middle('base', toC))
  await way.serve(stack, bGray, middle('gray', toC))
  await way.ready?.()
  for (const kind of KINDS) {
    if (stack.lacks?.[kind] !== undefined) {
      console.log(JSON.stringify({ kind, skipped: stack.lacks[kind] }))
      continue
    }
    console.log(JSON.stringify(await run(kind, fresh => way.connect(stack, 'sc-b', bBase, fresh))))
  }
  process.exit(0)
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
