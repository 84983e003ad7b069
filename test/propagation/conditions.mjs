// The conditions of a cell. `path` and `target` say what the front service asks for; the rest is for egress and ingress.

/**
 * - `path`: what is asked of the service
 * - `away`: share of the requests that go to the third party directly
 * - `post`: requests carry a body, read by raw listeners
 * - `control`: requests of the control, where the 64 that are in flight at once are too few to show its fault
 */
export const CONDITIONS = {
  unbounded: { path: '/done' },
  'bounded pool': { path: '/done' },
  retry: { path: '/busy' },
  'retry composed outside': { path: '/busy' },
  RetryAgent: { path: '/busy' },
  'same-host redirect': { path: '/moved-here' },
  'cross-host redirect': { path: '/moved-away' },
  'keep-alive': { path: '/done' },
  pipelining: { path: '/done', pipelined: true },
  'queued callback': { path: '/done', queued: true, control: 128 },
  'raw body listener': { path: '/done', post: true },
  'aborted requests in between': { path: '/done', aborted: true },
  'HTTP proxy': { path: '/done', away: 1 / 3 },
  cache: { path: '/kept', control: 128 },
  deduplicate: { path: '/done' },
}
