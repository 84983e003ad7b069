import { readPath } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { laneHandler } from '@laneway/http'
import { composeLane } from '@laneway/undici'
import { Agent, type Dispatcher } from 'undici'
import { expect, type Subject, type Table } from '../case.js'
import { type Exchange, exchanges, OPS } from './exchanges.js'

const CONTROLLER = { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} }
const PATH =
  '1["sc-B","","gray","header",[["sc-c","gray","gray","lane","10.0.0.9:8080",1,200,1,3,["sc-C","gray","gray","header",[]]]]]'

/** Answers at once, so that what is timed is what stands around it. */
class AnsweringAgent extends Agent {
  asked = 0

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const traced = (options.headers as string[]).includes('x-laneway-trace')
    if (traced) this.asked++
    const headers = { 'content-length': '2', ...(traced && { 'x-laneway-path': PATH }) }
    handler.onRequestStart?.(CONTROLLER as never, undefined)
    handler.onResponseStart?.(CONTROLLER as never, 200, headers, 'OK')
    handler.onResponseEnd?.(CONTROLLER as never, {})
    return true
  }
}

/** A request in lane gray that calls one service and answers: the ingress, the call, the head of the answer. */
async function hop(traced: boolean, before: boolean): Promise<Subject> {
  const services = {
    'sc-b': [
      { host: '10.0.0.1', port: 8080 },
      { host: '10.0.0.2', port: 8080, tags: ['gray'] },
    ],
  }
  const resolver = createLaneResolver({ sources: [createStaticSource(services)], services: ['sc-b'] })
  await resolver.ready('sc-b')
  const agent = new AnsweringAgent()
  const dispatcher = composeLane(agent, { resolver })
  const handler = laneHandler((_request, response) => {
    dispatcher.dispatch({ origin: 'http://sc-b', path: '/orders/7', method: 'GET', headers: { accept: '*/*' } }, {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData() {},
      onResponseEnd() {},
      onResponseError() {},
    } as never)
    response.writeHead(200, { 'content-type': 'application/json' })
  })
  const ask = (list: Exchange[]) => {
    for (const { request } of list) request.headers['x-laneway-trace'] = '1'
    return list
  }
  if (before) for (const { request, response } of ask(exchanges(true))) handler(request, response)
  const askedBefore = agent.asked
  let list: Exchange[] = []
  return {
    ops: OPS,
    prepare() {
      list = traced ? ask(exchanges(true)) : exchanges(true)
    },
    run() {
      for (let i = 0; i < OPS; i++) handler(list[i]!.request, list[i]!.response)
      return list[OPS - 1]
    },
    check(result) {
      const head = String((result as { response: { _header?: string } }).response._header)
      const path = readPath(/x-laneway-path: (.*)\r/.exec(head)?.[1] ?? '')
      expect(path?.calls[0]?.path?.calls.length === (traced ? 1 : undefined), `the path of the answer is ${head}`)
      expect(traced || agent.asked === askedBefore, 'a request without a trace asked for one')
    },
  }
}

export const trace: readonly Table[] = [
  {
    name: 'trace/hop',
    about:
      'A tagged request through `laneHandler`, one call to a service through `composeLane`, and the head of the answer; no network. ' +
      'Traced, the call brings back the path of two further services, and the answer has all three.',
    rows: [
      { name: 'untraced', floor: true, subject: () => hop(false, false) },
      { name: 'untraced, after traced requests', subject: () => hop(false, true) },
      { name: 'traced', subject: () => hop(true, false) },
    ],
    targets: [
      { row: 'untraced, after traced requests', figure: 'ns', per: 'untraced', atMost: 1.1 },
      { row: 'traced', figure: 'ns', atMost: 60_000 },
    ],
  },
]
