import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFileSource, createLaneResolver } from '@laneway/discovery'
import t from 'tap'
import { readConfig } from '../src/config/config.js'
import { resolverOptions } from '../src/discovery/discovery.js'

t.test('settings about zones, panic, warm-up and limits reach the resolver', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-balance-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const one = (port: number, more: object) => ({ host: '127.0.0.1', port, ...more })
  const services = {
    zoned: [one(1, { zone: 'a' }), one(2, { zone: 'b' })],
    ill: [one(1, {}), one(2, { health: 'unhealthy' }), one(3, { health: 'unhealthy' })],
  }
  const file = join(folder, 'services.json')
  writeFileSync(file, JSON.stringify({ services }))
  const env = {
    LANEWAY_SERVICES: 'zoned,ill',
    LANEWAY_ZONE: 'b',
    LANEWAY_ZONE_PREFER: 'always',
    LANEWAY_PANIC_PERCENT: '50',
    LANEWAY_SLOW_START_MS: '30000',
    LANEWAY_MAX_IN_FLIGHT: '1',
    LANEWAY_CONSECUTIVE_5XX: '5',
    LANEWAY_CONSECUTIVE_GATEWAY_ERRORS: '3',
  }
  const options = resolverOptions(readConfig(env, folder))
  const resolver = createLaneResolver({ sources: [createFileSource(file)], ...options, env: {} })
  t.teardown(() => resolver.close())
  await resolver.ready('zoned')
  t.match(resolver.explain('zoned', undefined).steps[0]?.zones, [{ zone: 'b', share: 1 }, { share: 0 }])
  t.equal(resolver.explain('ill', undefined).outcome, 'panic')
  for (let i = 0; i < 2; i++) resolver.started(resolver.pick('zoned', undefined))
  t.equal(resolver.pick('zoned', undefined).outcome, 'overloaded')
  t.throws(() => readConfig({ LANEWAY_PANIC_PERCENT: '0.5' }, folder), /LANEWAY_PANIC_PERCENT is a whole number/)
})
