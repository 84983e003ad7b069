import { channels, currentLane } from '@laneway/core'
import { switchLaneway } from '@laneway/core/internal'
import type { Test } from 'tap'
import type { IngressAdapter } from './ingress-adapter.js'

/** `header` as a list, for migrations. */
export async function headerList(t: Test, adapter: IngressAdapter): Promise<void> {
  const names = ['x-lane', 'x-mse-tag', 'x-old']
  const handler = async ({ request }: { request: { headers: object } }) => {
    const headers = request.headers as Record<string, string | undefined>
    return [currentLane()?.header ?? null, ...names.map(name => headers[name] ?? null)]
  }
  const believing = await adapter.serve(t, { header: names, trust: 'internal' }, handler)
  const edge = await adapter.serve(t, { header: names, trust: 'edge' }, handler)
  const ask = async (target: typeof edge, ...headers: [string, string][]) =>
    JSON.parse((await target.send({ headers })).body)
  t.strictSame(await ask(believing), [null, null, null, null])
  for (const name of names) t.equal((await ask(believing, [name, 'gray']))[0], 'gray', name)
  const both = await ask(believing, ['x-old', 'blue'], ['x-mse-tag', 'gray'])
  t.equal(both[0], 'gray', 'the first in the order of the list')
  const wrong = await ask(believing, ['x-mse-tag', 'no tag'], ['x-old', 'gray'])
  t.strictSame(wrong, [null, null, null, null], 'what is no lane decides, and all are removed')
  const many = Array.from({ length: 40 }, (_, index): [string, string] => [`x-${index}`, '1'])
  t.equal((await ask(believing, ...many, ['x-old', 'gray']))[0], 'gray', 'among many lines')
  for (const name of [...names, 'X_Old']) {
    t.strictSame(await ask(edge, [name, 'gray']), [null, null, null, null], `an edge removes ${name}`)
  }
}

/** Laneway switched off while it runs, and by `LANEWAY_DISABLE`: a request is served as if Laneway was not there. */
export async function ingressSwitch(t: Test, adapter: IngressAdapter): Promise<void> {
  let during = () => {}
  const handler = async ({ request, lane }: { request: { headers: object }; lane: unknown }) => {
    during()
    await new Promise(setImmediate)
    return [lane ?? null, currentLane()?.header ?? null, (request.headers as Record<string, string>)['x-mse-tag']]
  }
  const ask = async (target: Awaited<ReturnType<IngressAdapter['serve']>>, tag: string) => {
    const { status, body } = await target.send({ headers: [['x-mse-tag', tag]] })
    t.equal(status, 200)
    return JSON.parse(body)
  }
  let events = 0
  const count = () => void events++
  t.teardown(() => {
    switchLaneway(true)
    delete process.env['LANEWAY_DISABLE']
    channels.ingress.unsubscribe(count)
  })

  const target = await adapter.serve(t, { trust: 'edge', tag: 'green', ownLane: 'colour' }, handler)
  channels.ingress.subscribe(count)
  switchLaneway(false)
  t.strictSame(await ask(target, 'gray'), [null, null, 'gray'], 'off: no lane, and the header stays')
  t.strictSame(await ask(target, 'no tag'), [null, null, 'no tag'])
  t.equal(currentLane(), undefined, 'off: work without a request has no lane')
  t.equal(events, 0)
  switchLaneway(true)
  during = () => switchLaneway(false)
  t.equal((await ask(target, 'gray'))[1], 'green', 'off meanwhile: the request ends as it began')
  t.equal(events, 1)
  switchLaneway(true)
  t.equal(currentLane()?.header, 'green')
  // The colour belongs to the process; an instance of base has none.
  const slot = (globalThis as Record<symbol, unknown>)[Symbol.for('laneway.context.v1')] as { ownColour: unknown }
  slot.ownColour = undefined
  const plain = await adapter.serve(t, { trust: 'internal' }, handler)
  switchLaneway(false)
  during = () => switchLaneway(true)
  t.strictSame(await ask(plain, 'gray'), [null, null, 'gray'], 'on meanwhile: the request ends as it began')
  t.equal((await ask(plain, 'gray'))[1], 'gray')

  process.env['LANEWAY_DISABLE'] = 'all'
  during = () => {}
  const disabled = await adapter.serve(t, { trust: 'edge', tag: 'green', ownLane: 'colour' }, handler)
  t.strictSame(await ask(disabled, 'gray'), [null, null, 'gray'], 'LANEWAY_DISABLE=all')
  t.equal(currentLane(), undefined)
  t.equal(events, 2)
}
