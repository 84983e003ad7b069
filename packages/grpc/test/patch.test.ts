import * as grpc from '@grpc/grpc-js'
import { channels, type EgressEvent, runInLane } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import { createChannelPatch } from '@laneway/grpc/patch'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'

type Make = (...args: ConstructorParameters<typeof grpc.Channel>) => grpc.Channel

const through = (Wrapped: typeof grpc.Channel) => ({
  channelFactoryOverride: ((...args) => new Wrapped(...args)) as Make,
})

t.test('a wrapped class is a class of channels, and is wrapped once', async t => {
  const { wrapChannel } = createChannelPatch({}, t.error)
  const Wrapped = wrapChannel(grpc.Channel)
  t.equal(Wrapped.name, 'ChannelImplementation')
  t.equal(wrapChannel(Wrapped), Wrapped)
  t.equal(createChannelPatch({}, t.error).wrapChannel(Wrapped), Wrapped, 'nor by another patch')
  const channel = new Wrapped('localhost:1', grpc.credentials.createInsecure(), {})
  t.ok(channel instanceof grpc.Channel)
  t.equal(channel.getTarget(), 'dns:localhost:1')
  t.equal(channel.getConnectivityState(false), grpc.connectivityState.IDLE)
  channel.close()
  t.equal(channel.getConnectivityState(false), grpc.connectivityState.SHUTDOWN)
})

t.test('the channel that the code makes under a preload decides alone', async t => {
  const events: EgressEvent[] = []
  const note = (event: unknown) => events.push(event as EgressEvent)
  channels.egress.subscribe(note)
  t.teardown(() => channels.egress.unsubscribe(note))
  const base = await serve(t, echo('base'), { interceptors: [laneInterceptor()] })
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }])
  const Wrapped = createChannelPatch({ header: 'x-other' }, t.error).wrapChannel(grpc.Channel)
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver, Channel: Wrapped }))
  t.equal(await runInLane('gray', () => c.unary()), 'gray@base ["gray"]')
  t.strictSame(
    events.map(({ host, action }) => [host, action]),
    [['sc-b', 'forwarded']],
  )
})

t.test('with a resolver that throws, calls go where they would without Laneway', async t => {
  const far = await serve(t, echo('far'), { interceptors: [laneInterceptor()] })
  const { resolver } = await resolverOf(t, 'localhost', [{ port: far.port }])
  for (const broken of ['match', 'pick', 'started', 'finished'] as const) {
    const faults: unknown[] = []
    const faulty = {
      match: resolver.match.bind(resolver),
      pick: resolver.pick.bind(resolver),
      started: resolver.started.bind(resolver),
      finished: resolver.finished.bind(resolver),
      lookup: resolver.lookup.bind(resolver),
      refusal: resolver.refusal.bind(resolver),
      onEndpointGone: resolver.onEndpointGone.bind(resolver),
      [broken]: () => {
        throw new Error(`broken ${broken}`)
      },
    }
    const { wrapChannel } = createChannelPatch({ resolver: faulty }, fault => faults.push(fault))
    const c = client(t, `localhost:${far.port}`, through(wrapChannel(grpc.Channel)))
    const said = await runInLane('gray', () => c.unary())
    t.match(said, '@far', broken)
    t.strictSame((await runInLane('gray', () => c.list())).length, 3)
    t.match(faults[0], { message: `broken ${broken}` })
  }
})
