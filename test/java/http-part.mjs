// Spring services between services of Node without any code of Laneway.
import { Agent, get } from 'node:http'
import { OTEL_ENV, otel } from '../ecosystem/ways.mjs'
import { load, rightAnswer } from './chains.mjs'

const entry = 'hop-service.cjs'
const services = broken => [
  { service: 'node-a', kind: 'node', entry, env: { LANEWAY_BAGGAGE: '1' } },
  { service: 'spring', kind: 'spring' },
  { service: 'spring', kind: 'spring', tag: 'gray' },
  { service: 'node-c', kind: 'node', entry },
  { service: 'node-c', kind: 'node', entry, tag: 'gray' },
  { service: 'node-c', kind: 'node', entry, tag: 'blue' },
  { service: 'spring-otel', kind: 'spring-otel' },
  { service: 'spring-otel', kind: 'spring-otel', tag: 'gray' },
  { service: 'node-n', kind: 'node', entry, ...(broken && { env: { LANEWAY_FORMATS: 'header' } }) },
  {
    service: 'node-otel',
    kind: 'node',
    entry,
    flags: [...otel, '--import', '@laneway/register'],
    env: { ...OTEL_ENV, OTEL_PROPAGATORS: 'tracecontext,baggage' },
  },
]

const CHAINS = [
  ['Java between two Node services', ['node-a', 'spring', 'node-c']],
  ['Node between two Java services', ['spring', 'node-c', 'spring']],
  ['Java with OpenTelemetry alone between Node services', ['node-a', 'spring-otel', 'node-n', 'spring']],
  [
    'Node with OpenTelemetry between Java services with OpenTelemetry alone',
    ['node-a', 'spring-otel', 'node-otel', 'spring-otel', 'node-n', 'node-c'],
  ],
]

export const checks = CHAINS.length * 3

export async function runHttp(world, { requests, broken, report }) {
  await world.add(services(broken))
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  for (const [title, chain] of CHAINS) {
    const path = `/${chain.slice(1).join('/')}`
    const { port } = world.instances.find(one => one.service === chain[0] && one.tag === '')
    const result = await load({
      perLane: requests,
      call: lane => request({ port, path, agent, lane }),
      isRight: (lane, answer) => answer === rightAnswer(world.instances, chain, lane),
    })
    report(title, chain, result)
  }
  agent.destroy()
}

/** One request to a service; the answer in one line. */
export function request({ port, path, agent, lane }) {
  const headers = lane === undefined ? {} : { 'x-mse-tag': lane }
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent, headers }, async response => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      if (response.statusCode === 200) resolve(text)
      else reject(new Error(`${response.statusCode} ${text}`))
    }).on('error', reject)
  })
}
