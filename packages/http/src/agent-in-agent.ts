import { subscribe } from 'node:diagnostics_channel'
import { Agent, type ClientRequest } from 'node:http'
import { hooksOf } from './request-hooks.js'

const kTag = Symbol('laneway.tag')

/** An agent that can set the tag of a request which it is not asked to send. */
export interface TaggingAgent {
  [kTag]?: (request: ClientRequest) => void
}

let watching = false

/**
 * Mocks put an agent of their own in place of the caller's and keep that one as a property. The mock has to see the tag
 * all the same. Node 22 and later tell of a request when it is made; on Node 20 nothing does.
 */
export function tagBehindOthers(agent: object, tag: (request: ClientRequest) => void): void {
  ;(agent as TaggingAgent)[kTag] = tag
  if (watching) return
  watching = true
  subscribe('http.client.request.created', tagIfBehind)
}

function tagIfBehind(message: unknown): void {
  const { request } = message as { request: ClientRequest & { agent?: Agent | null } }
  const { agent } = request
  if (!agent || hooksOf(request) !== undefined || (agent as TaggingAgent)[kTag] !== undefined) return
  // What connects in Node's way stands before nobody.
  if ((agent as { createConnection?: unknown }).createConnection === PLAIN) return
  for (const behind of Object.values(agent)) {
    const tag = (Object(behind) as TaggingAgent)[kTag]
    if (tag === undefined) continue
    tag(request)
    return
  }
}

const PLAIN: unknown = (Agent.prototype as unknown as { createConnection: unknown }).createConnection
