import http from 'node:http'
import https from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import type { LaneAgentOptions } from '@laneway/http'
import { createAgentPatch } from '@laneway/http/internal'
import type { Guard } from '../guard.js'

type Method = (...args: any[]) => any

/**
 * Lets every request of `node:http` and `node:https` carry the lane, and so axios, got and whatever else builds on them.
 * Named imports of ES modules see the new functions too.
 */
export function hookHttp(options: LaneAgentOptions, guard: Guard): void {
  const patch = createAgentPatch(options, error => guard.fault('http', error))
  patch.patchAgents(http.Agent.prototype)
  patch.patchMocks(http.ClientRequest.prototype)
  for (const [module, secure] of [
    [http, false],
    [https, true],
  ] as const) {
    const methods = module as unknown as Record<'request' | 'get', Method>
    const request = patch.wrapRequest(methods.request, secure, () => module.globalAgent)
    methods.request = request
    methods.get = function get(...args) {
      const made = request(...args)
      made.end()
      return made
    }
  }
  syncBuiltinESMExports()
}
