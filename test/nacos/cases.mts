import assert from 'node:assert/strict'
import { currentLane, parseLane, runInLane } from '@laneway/core'
import { createLaneResolver } from '@laneway/discovery'
import { createNacosSource, followConfig, laneMetadata, nacosRules, registerInstance } from '@laneway/nacos'
import { type Case, freshPort, summary, unique, until, watch } from './harness.mjs'
import { startProxy } from './tcp-proxy.mjs'

const ROUNDS = Number(process.env['NACOS_ROUNDS'] ?? 20)

/** As an operator does in the console of Nacos 2.4 to 3.1. */
async function publishForTag(http: string, dataId: string, tag: string, content: string): Promise<void> {
  const body = new URLSearchParams({ dataId, group: 'DEFAULT_GROUP', content, tag })
  const answer = await fetch(`http://${http}/nacos/v1/cs/configs`, { method: 'POST', body })
  assert.equal(await answer.text(), 'true')
}

/** What every server must do with our client alone. */
export const cases: Case[] = [
  {
    name: 'two clients: what one registers the other sees, in its lane, and sees it go',
    run: async context => {
      const [a, b] = [context.client(), context.client()]
      const service = unique('pair')
      const seen = watch(a, service)
      await until('the first list', () => seen.infos.length > 0)
      const port = freshPort()
      const own = await registerInstance(b, { service, port, ip: '10.1.0.1', lane: 'gray', leaveDelayMs: 0 })
      await until('the instance', () => seen.ports().includes(port))
      const [instance] = seen.infos.at(-1)!.instances
      assert.equal(instance!.metadata['alicloud.service.tag'], 'gray')
      assert.equal(instance!.metadata['opensergo.io/canary-gray'], 'gray')
      await own.deregister()
      await until('the empty list', () => seen.ports().length === 0)
    },
  },
  {
    name: 'a change at one client changes the pick at another',
    run: async context => {
      const [a, b] = [context.client(), context.client()]
      const service = unique('pick')
      const [base, gray] = [freshPort(), freshPort()]
      const resolver = createLaneResolver({
        sources: [createNacosSource(a, { listIntervalMs: 0 })],
        services: [service],
      })
      context.end(() => resolver.close())
      await b.naming.register({ service }, { ip: '10.1.0.1', port: base, metadata: laneMetadata(undefined) })
      const lane = runInLane('gray', () => currentLane())
      assert.deepEqual(lane, parseLane('gray'))
      await until('base', () => resolver.pick(service, lane).endpoint?.port === base)
      const took: Record<'register' | 'deregister', number[]> = { register: [], deregister: [] }
      for (let round = 0; round < ROUNDS; round++) {
        // r-nacos remembers the metadata of an address for ever, so the lane stays the same on it.
        let begun = performance.now()
        await b.naming.register({ service }, { ip: '10.1.0.2', port: gray, metadata: laneMetadata('gray') })
        await until('gray', () => resolver.pick(service, lane).served === 'gray')
        took.register.push(performance.now() - begun)
        assert.equal(resolver.pick(service, undefined).endpoint?.port, base)
        begun = performance.now()
        await b.naming.deregister({ service }, { ip: '10.1.0.2', port: gray })
        await until('base again', () => resolver.pick(service, lane).endpoint?.port === base)
        took.deregister.push(performance.now() - begun)
        assert.equal(resolver.pick(service, lane).outcome, 'fallback-missing')
      }
      context.figures['register to pick'] = summary(took.register)
      context.figures['deregister to pick'] = summary(took.deregister)
    },
  },
  {
    name: 'three instances from one client are one list; the middle one leaves, then all',
    run: async context => {
      const [a, b] = [context.client(), context.client()]
      const service = unique('batch')
      const seen = watch(a, service)
      const ports = [freshPort(), freshPort(), freshPort()]
      for (const port of ports) await b.naming.register({ service }, { ip: '10.1.0.1', port })
      await until('three', () => seen.ports().join() === ports.join())
      await b.naming.deregister({ service }, { ip: '10.1.0.1', port: ports[1]! })
      await until('two', () => seen.ports().join() === [ports[0], ports[2]].join())
      await b.close()
      await until('none', () => seen.infos.length > 0 && seen.ports().length === 0)
    },
  },
  {
    name: 'after unsubscribing nothing is heard any more',
    run: async context => {
      const [a, b] = [context.client(), context.client()]
      const service = unique('quiet')
      const [stopped, going] = [watch(a, service), unique('other')]
      await until('the first list', () => stopped.infos.length > 0)
      stopped.stop()
      const other = watch(a, going)
      await until('the first list', () => other.infos.length > 0)
      const heard = stopped.infos.length
      await b.naming.register({ service }, { ip: '10.1.0.1', port: freshPort() })
      await b.naming.register({ service: going }, { ip: '10.1.0.1', port: freshPort() })
      await until('the other', () => other.ports().length === 1)
      assert.equal(stopped.infos.length, heard)
    },
  },
  {
    name: 'namespaces are apart, and no namespace is the public one',
    run: async context => {
      const [open, team] = [context.client({ namespace: '' }), context.client({ namespace: 'laneway-team' })]
      const service = unique('space')
      const [seenOpen, seenTeam] = [watch(context.client({ namespace: 'public' }), service), watch(team, service)]
      await until('both lists', () => seenOpen.infos.length > 0 && seenTeam.infos.length > 0)
      const port = freshPort()
      await open.naming.register({ service }, { ip: '10.1.0.1', port })
      await until('the instance in public', () => seenOpen.ports().includes(port))
      assert.deepEqual(seenTeam.ports(), [])
      const names = await until('the name', async () => (await open.naming.list()).includes(service))
      assert.equal(names, true)
      const dataId = unique('space')
      await open.config.publish(dataId, 'x')
      await until(
        'the content',
        async () => (await context.client({ namespace: 'public' }).config.get(dataId))?.content === 'x',
      )
      assert.equal(await team.config.get(dataId), undefined)
    },
  },
  {
    name: 'configuration: published, read, heard, changed, removed',
    run: async context => {
      const [a, b] = [context.client(), context.client()]
      const dataId = unique('config')
      const heard: (string | undefined)[] = []
      a.config.listen(dataId, {}, { value: value => void heard.push(value?.content), lost: () => {} })
      await until('nothing yet', () => heard.length === 1)
      await b.config.publish(dataId, '{"percent":1}', { type: 'json' })
      await until('the first', () => heard.length === 2)
      const took: number[] = []
      for (let i = 2; i < 10; i++) {
        const begun = performance.now()
        await b.config.publish(dataId, `{"percent":${i}}`, { type: 'json' })
        await until(`content ${i}`, () => heard.at(-1) === `{"percent":${i}}`)
        took.push(performance.now() - begun)
      }
      assert.equal((await b.config.get(dataId))?.content, '{"percent":9}')
      await b.config.remove(dataId)
      await until('the removal', () => heard.at(-1) === undefined)
      assert.equal(heard[0], undefined)
      assert.equal(await b.config.get(dataId), undefined)
      context.figures['publish to listener'] = summary(took)
    },
  },
  {
    name: 'rules: broken JSON keeps the last good value',
    run: async context => {
      const [a, b] = [context.client(), context.client()]
      const dataId = unique('rules')
      const errors: string[] = []
      const rules = nacosRules<{ percent: number }>(a, dataId, { onError: error => void errors.push(error.code) })
      context.end(() => rules.close())
      await rules.ready
      await b.config.publish(dataId, '{"percent":10}')
      await until('the value', () => rules.current?.percent === 10)
      await b.config.publish(dataId, '{"percent":')
      await until('the report', () => errors.length === 1)
      assert.deepEqual(rules.current, { percent: 10 })
    },
  },
  {
    name: 'gray configuration: a connection with the lane has the gray content, others the base',
    run: async context => {
      const { kind, http } = context.server
      if (/2\.2|rnacos/.test(kind)) context.skip('this server has no gray configuration by tag')
      const [gray, blue, base] = ['gray', 'blue', 'base'].map(lane => context.client({ lane }))
      const dataId = unique('gray')
      const heard = [gray!, blue!, base!].map(client => {
        const values: (string | undefined)[] = []
        const followed = followConfig(client, dataId, { onChange: value => void values.push(value) })
        context.end(() => followed.close())
        return values
      })
      const now = () => heard.map(values => values.at(-1))
      await base!.config.publish(dataId, 'base')
      await until('the base content', () => now().every(value => value === 'base'))
      await publishForTag(http, dataId, 'gray', 'only gray')
      await until('the gray content', () => now()[0] === 'only gray')
      assert.deepEqual(now(), ['only gray', 'base', 'base'])
      assert.equal((await gray!.config.get(dataId))?.content, 'only gray')
      assert.equal((await blue!.config.get(dataId))?.content, 'base')
      await base!.config.publish(dataId, 'base 2')
      await until('the next base content', () => now()[1] === 'base 2' && now()[2] === 'base 2')
      assert.equal(now()[0], 'only gray')
      const late = context.client({ labels: { 'Vipserver-Tag': 'gray' } })
      assert.equal((await late.config.get(dataId))?.content, 'only gray')
    },
  },
  {
    name: 'compare-and-set by md5',
    run: async context => {
      if (/^2\.2|rnacos/.test(`${context.server.version}${context.server.kind}`)) context.skip('ignored by this server')
      const { config } = context.client()
      const dataId = unique('cas')
      await config.publish(dataId, 'one')
      const value = await until('the content', async () => await config.get(dataId))
      await config.publish(dataId, 'two', { casMd5: value.md5 })
      await assert.rejects(config.publish(dataId, 'three', { casMd5: 'deadbeef' }), { code: 'LANEWAY_NACOS_REFUSED' })
    },
  },
  {
    name: 'TCP cut: the same instance once, the same subscription, and no update lost',
    run: async context => {
      const proxy = await startProxy(context.server.grpc)
      context.end(() => proxy.close())
      const servers = login(context.server.http, proxy.address)
      const through = context.client({ ...servers, grpcPortOffset: 1000 })
      const direct = context.client()
      const [service, own] = [unique('cut'), unique('own')]
      const [seen, seenOwn] = [watch(through, service), watch(direct, own)]
      const port = freshPort()
      await through.naming.register({ service: own }, { ip: '10.1.0.1', port })
      await until('registered', () => seenOwn.ports().length === 1 && seen.infos.length > 0)
      proxy.cut()
      const later = freshPort()
      await direct.naming.register({ service }, { ip: '10.1.0.2', port: later })
      await until('the update made meanwhile', () => seen.ports().includes(later))
      await until('the instance back', () => seenOwn.ports().join() === String(port))
      assert.equal(proxy.open, 1, 'one session')
      seen.stop()
    },
  },
  {
    name: 'half-open: noticed within 15 s, and everything stands on the next connection',
    slow: true,
    run: async context => {
      const proxy = await startProxy(context.server.grpc)
      context.end(() => proxy.close())
      const through = context.client({ ...login(context.server.http, proxy.address), grpcPortOffset: 1000 })
      const service = unique('half')
      const seen = watch(through, service)
      await until('the first list', () => seen.infos.length > 0)
      const begun = performance.now()
      proxy.freeze(true)
      await until('the loss', () => seen.lost.length > 0, 15_000)
      context.figures['half-open noticed'] = `${((performance.now() - begun) / 1000).toFixed(1)} s`
      proxy.freeze(false)
      const port = freshPort()
      await context.client().naming.register({ service }, { ip: '10.1.0.1', port })
      await until('an update', () => seen.ports().includes(port))
    },
  },
  {
    name: '5,000 endpoints in one push',
    run: async context => {
      const service = unique('many')
      const a = context.client()
      const seen = watch(a, service)
      await until('the first list', () => seen.infos.length > 0)
      const raw = context.client({ requestTimeoutMs: 20_000 })
      const base = freshPort()
      const begun = performance.now()
      // One registration after the other would be 5,000 batches; they are collected into one while the first is sent.
      const all = Array.from({ length: 5000 }, (_, i) =>
        raw.naming.register(
          { service },
          { ip: `10.${10 + (i >> 8)}.${i & 255}.1`, port: base, metadata: laneMetadata(i % 2 ? 'gray' : undefined) },
        ),
      )
      await Promise.all(all)
      await until('all of them', () => seen.infos.at(-1)!.instances.length === 5000, 20_000)
      context.figures['5,000 endpoints'] = `${Math.round(performance.now() - begun)} ms`
      const tagged = seen.infos.at(-1)!.instances.filter(({ metadata }) => metadata['alicloud.service.tag'] === 'gray')
      assert.equal(tagged.length, 2500)
    },
  },
  {
    name: 'silence for 25 s loses neither connection nor pushes',
    slow: true,
    run: async context => {
      const [a, b] = [context.client(), context.client()]
      const service = unique('idle')
      const seen = watch(a, service)
      await until('the first list', () => seen.infos.length > 0)
      await new Promise(resolve => setTimeout(resolve, 25_000))
      assert.deepEqual(seen.lost, [])
      const port = freshPort()
      await b.naming.register({ service }, { ip: '10.1.0.1', port })
      await until('a push', () => seen.ports().includes(port), 3_000)
    },
  },
]

/** The proxy has no HTTP port; no case that uses it logs in. */
function login(_http: string, address: string): { servers: string } {
  return { servers: address }
}

/** Interop: another client on the other side. */
export function interopCases(peerName: string, start: (server: unknown) => Promise<any>): Case[] {
  return [
    {
      name: `${peerName} registers, we see it within 1.5 s; we register, it sees us with the lane`,
      run: async context => {
        const peer = await start(context.server)
        context.end(() => peer.stop())
        const made = context.client()
        const [theirs, ours] = [unique('theirs'), unique('ours')]
        const seen = watch(made, theirs)
        await until('the first list', () => seen.infos.length > 0)
        const port = freshPort()
        const begun = performance.now()
        await peer.call('register', theirs, { ip: '10.2.0.1', port, metadata: { 'alicloud.service.tag': 'gray' } })
        await until('their instance', () => seen.ports().includes(port))
        const tookMs = performance.now() - begun
        context.figures[`${peerName} registers, we see it`] = `${Math.round(tookMs)} ms`
        assert.ok(tookMs < 1_500, `${tookMs} ms`)
        assert.equal(seen.infos.at(-1)!.instances[0]!.metadata['alicloud.service.tag'], 'gray')
        await peer.call('subscribe', ours)
        const own = await registerInstance(made, {
          service: ours,
          port: freshPort(),
          ip: '10.2.0.2',
          lane: 'gray',
          leaveDelayMs: 0,
        })
        const event = await peer.event(
          (line: any) => line.event === 'instances' && line.name === ours && line.instances.length === 1,
          15_000,
        )
        const [instance] = event.instances
        assert.equal(instance.port, own.port)
        assert.equal(instance.metadata['alicloud.service.tag'], 'gray')
        assert.equal(instance.metadata['opensergo.io/canary-gray'], 'gray')
      },
    },
    {
      name: `${peerName} publishes, we hear it; we publish, it hears`,
      run: async context => {
        const peer = await start(context.server)
        context.end(() => peer.stop())
        const made = context.client()
        const [theirs, ours] = [unique('theirs'), unique('ours')]
        // The Java client from 3.0 names the public namespace, which is a place of its own on 2.x.
        const apart = peerName.includes('Java') && context.server.version.startsWith('2.')
        const place = apart ? { tenant: 'public' } : {}
        const heard: (string | undefined)[] = []
        made.config.listen(theirs, place, { value: value => void heard.push(value?.content), lost: () => {} })
        await until('nothing yet', () => heard.length === 1)
        // The Java client answers false when its own time is over, which says nothing of ours.
        await until(
          'their publication',
          async () => await peer.call('publish', theirs, { content: 'from them' }),
          30_000,
        )
        await until('their content', () => heard.at(-1) === 'from them')
        await made.config.publish(ours, 'first', place)
        await until('our own content', async () => (await made.config.get(ours, place))?.content === 'first')
        await peer.call('listen', ours)
        // The native client keeps silent about the first changes that it sees; publishing goes on until it speaks.
        const said = peer.event(
          (line: any) => line.event === 'config' && line.name === ours && /^from us/.test(line.content),
          25_000,
        )
        said.catch(() => {})
        let done = false
        const stop = said.then(
          () => (done = true),
          () => (done = true),
        )
        for (let i = 0; !done && i < 12; i++) {
          await made.config.publish(ours, `from us ${i}`, place)
          await Promise.race([stop, new Promise(resolve => setTimeout(resolve, 2_000))])
        }
        await said
      },
    },
  ]
}

/** Only with a process that can be killed from outside. */
export function crashCases(peerName: string, start: (server: unknown) => Promise<any>): Case[] {
  return [
    {
      name: `kill -9 of ${peerName}: its instance goes at once`,
      run: async context => {
        const peer = await start(context.server)
        context.end(() => peer.stop())
        const service = unique('killed')
        const seen = watch(context.client(), service)
        await peer.call('register', service, { ip: '10.2.0.3', port: freshPort() })
        await until('the instance', () => seen.ports().length === 1)
        const begun = performance.now()
        peer.signal('SIGKILL')
        await until('the empty list', () => seen.ports().length === 0)
        context.figures[`kill -9 of ${peerName}`] = `${Math.round(performance.now() - begun)} ms`
      },
    },
    {
      name: `SIGSTOP of ${peerName}: its instance goes when the server gives it up`,
      slow: true,
      run: async context => {
        if (/^2\.2/.test(context.server.version)) context.skip('2.2 asks no silent client whether it lives')
        const peer = await start(context.server)
        context.end(() => peer.stop())
        const service = unique('frozen')
        const seen = watch(context.client(), service)
        await peer.call('register', service, { ip: '10.2.0.4', port: freshPort() })
        await until('the instance', () => seen.ports().length === 1)
        const begun = performance.now()
        peer.signal('SIGSTOP')
        await until('the empty list', () => seen.ports().length === 0, 60_000)
        context.figures[`SIGSTOP of ${peerName}`] = `${((performance.now() - begun) / 1000).toFixed(1)} s`
      },
    },
  ]
}
