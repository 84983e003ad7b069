// The paths of traced requests, compared with what the services print of themselves.
import { type LanePath, type PathCall, parsePath } from '@laneway/core'
import type { Instance } from './fleet.js'
import type { Sample } from './load.js'

/** With this the entrance, which trusts no client, answers with the path. */
export const TRACE_TOKEN = 'of-the-demo'
export const TRACE_ENVIRONMENT = { LANEWAY_TRACE_TOKEN: TRACE_TOKEN, LANEWAY_TRACE_ADDRESSES: '1' }

const HOP = /^([ABC])\w*\[([\d.]+:\d+)\]\{([^|}]*)\|/

/**
 * Compares the path of a good answer with its text, which names the instances that gave it, and its calls with the instances
 * that were started.
 *
 * @returns what is wrong; `undefined` when the path is that of the services, or nobody asked and there is none
 */
export function pathProblem({ text, traced, path }: Sample, instances: readonly Instance[]): string | undefined {
  if (traced !== true) return path === undefined ? undefined : `nobody asked for the path ${path}`
  const root = parsePath(path)
  if (root === undefined) return `no path, ${path}`
  let node: LanePath = root
  for (const hop of text.trim().split(' -> ')) {
    const [, name = '', address = '', tag = ''] = HOP.exec(hop) ?? []
    const problem = callsProblem(node.calls, name.toLowerCase(), tag, instances)
    if (problem !== undefined) return `${problem} at ${hop} in ${path}`
    // Before the last there were answers that A tried again, and connections that failed.
    const last = node.calls.at(-1)
    if (last?.address !== address || last.path === undefined) return `the path has ${last?.address} for ${hop}: ${path}`
    node = last.path
  }
  return node.calls.length === 0 ? undefined : `the path goes on: ${path}`
}

function callsProblem(
  calls: readonly PathCall[],
  service: string,
  tag: string,
  instances: readonly Instance[],
): string | undefined {
  for (const [index, call] of calls.entries()) {
    const instance = instances.find(one => one.service === service && one.address === call.address)
    if (call.target.toLowerCase() !== `sc-${service}`) return `a call of ${call.target}`
    if (instance === undefined) return `nobody started ${call.address}`
    if ((call.lane ?? '') !== tag || (call.served ?? '') !== instance.tag) return 'another lane'
    const { path, status } = call
    if (path !== undefined && ((path.ownLane ?? '') !== instance.tag || (path.lane ?? '') !== tag))
      return 'another own lane'
    const isLast = index === calls.length - 1
    if (isLast !== (status === 200 || status === 'grpc 0')) return `status ${status}`
  }
  return undefined
}
