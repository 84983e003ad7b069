import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import { type LaneChannelOptions, laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'

/** A proxy by which any name leads to one port here: no name has to be known to DNS. */
async function proxyTo(t: { teardown(fn: () => unknown): void }, port: number) {
  const names: string[] = []
  const proxy = http.createServer()
  proxy.on('connect', (request, socket) => {
    names.push(String(request.url))
    const far = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      far.pipe(socket).pipe(far)
    })
    far.on('error', () => socket.destroy())
    socket.on('error', () => far.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  process.env['grpc_proxy'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  t.teardown(() => {
    delete process.env['grpc_proxy']
    proxy.close()
  })
  return names
}

function tagged(value: string): grpc.Metadata {
  const metadata = new grpc.Metadata()
  metadata.set('x-mse-tag', value)
  metadata.set('baggage', `x-mse-tag=${value},user=7`)
  return metadata
}

t.test('a third party never gets the tag, whoever set it', async t => {
  const far = await serve(t, echo('far'))
  const names = await proxyTo(t, far.port)
  const warnings: string[] = []
  const to = (target: string, options: LaneChannelOptions = {}) =>
    client(t, target, laneChannel({ warn: text => warnings.push(text), ...options }))
  const outside = to('api.example.com:443')
  t.equal(await runInLane('gray', () => outside.unary()), '-@far []')
  t.equal(await runInLane('gray', () => outside.unary(tagged('blue'))), '-@far []')
  t.equal(warnings.length, 1)
  t.match(warnings[0], 'api.example.com')
  t.equal(await runInLane('gray', () => to('dns:///api.example.com:443').unary()), '-@far []')
  t.equal(await runInLane('gray', () => to('metadata.google.internal:80').unary(tagged('gray'))), '-@far []')
  const kept = to('api.example.com:443', { keepHandSet: true })
  t.equal(await runInLane('gray', () => kept.unary(tagged('blue'))), '-@far ["blue"]')
  const own = to('api.example.com:443', { propagateTo: ['*.example.com'] })
  t.equal(await runInLane('gray', () => own.unary()), '-@far ["gray"]')
  t.equal(await runInLane('gray', () => to('sc-x:50051').unary()), '-@far ["gray"]', 'an internal name')
  t.ok(names.includes('api.example.com:443'))
})

t.test('an endpoint is reached without the proxy', async t => {
  const base = await serve(t, echo('base'), { interceptors: [laneInterceptor()] })
  const names = await proxyTo(t, base.port)
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }))
  t.equal(await runInLane('gray', () => c.unary()), 'gray@base ["gray"]')
  t.strictSame(names, [])
})

t.test('resolve: false: calls carry the tag, and go where the target leads', async t => {
  const [base, gray] = [await serve(t, echo('base')), await serve(t, echo('gray'))]
  const { resolver } = await resolverOf(t, 'localhost', [{ port: base.port }, { port: gray.port, tags: ['gray'] }])
  const to = (options: LaneChannelOptions) => client(t, `localhost:${base.port}`, laneChannel(options))
  const tagOnly = to({ resolver, resolve: false })
  t.equal(await runInLane('gray', () => to({ resolver }).unary()), '-@gray ["gray"]', 'Laneway would choose')
  t.equal(await runInLane('gray', () => tagOnly.unary()), '-@base ["gray"]')
  t.strictSame(await runInLane('gray', () => tagOnly.list()), Array(3).fill('-@base ["gray"]'))
  t.equal(await tagOnly.unary(tagged('gray')), '-@base ["gray"]', 'set by hand')
  t.equal(await tagOnly.unary(), '-@base []')
  t.throws(() => laneChannel({ resolver: {} as never, resolve: false }), { code: 'LANEWAY_INVALID_OPTION' })
})

t.test('a port that is none of the service leads to DNS, and the tag by the scope', async t => {
  const base = await serve(t, echo('base'), { interceptors: [laneInterceptor()] })
  const other = await serve(t, echo('other'), { interceptors: [laneInterceptor()] })
  const { resolver } = await resolverOf(t, 'localhost', [{ port: base.port }])
  const c = client(t, `localhost:${other.port}`, laneChannel({ resolver }))
  t.equal(await runInLane('gray', () => c.unary()), 'gray@other ["gray"]')
})

t.test('baggage is written when asked for, and never says another lane than the tag', async t => {
  const seen: unknown[] = []
  const far = await serve(t, {
    ...echo('far'),
    unary: (call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) => {
      seen.push([call.metadata.get('x-mse-tag'), call.metadata.get('baggage')])
      callback(null, '')
    },
  })
  const plain = client(t, `127.0.0.1:${far.port}`, laneChannel())
  const writing = client(t, `127.0.0.1:${far.port}`, laneChannel({ baggage: true }))
  const foreign = new grpc.Metadata()
  foreign.set('baggage', 'user=7,x-mse-tag=blue')
  await runInLane('gray', () => plain.unary(foreign))
  await runInLane('gray', () => writing.unary(foreign))
  await runInLane('gray', () => writing.unary())
  await writing.unary()
  const forMse = client(t, `127.0.0.1:${far.port}`, laneChannel({ baggage: 'mse' }))
  await runInLane('gray', () => forMse.unary(foreign))
  const list = encodeURIComponent('[{"name":"gray","tag":"gray","priority":-1}]')
  t.strictSame(seen.splice(4), [[['gray'], [`__microservice_tag__=${list},user=7`]]])
  t.strictSame(seen, [
    [['gray'], ['user=7']],
    [['gray'], ['x-mse-tag=gray,user=7']],
    [['gray'], ['x-mse-tag=gray']],
    [[], []],
  ])
})

t.test('wrong options are refused at once', async t => {
  const refused: [LaneChannelOptions, RegExp][] = [
    [{ header: 'grpc-lane' }, /metadata key/],
    [{ header: 'lane-bin' }, /metadata key/],
    [{ header: 'a$b' }, /metadata key/],
    [{ resolver: {} as never }, /createLaneResolver/],
    [{ connectTimeoutMs: Number.NaN }, /connectTimeoutMs/],
    [{ connectTimeout: 1 } as never, /connectTimeoutMs/],
    [{ keepHandSet: 1 as never }, /keepHandSet/],
    [{ resolve: 'no' as never }, /resolve/],
    [{ Channel: 'x' } as never, /Channel/],
    [{ propagateTo: ['a b'] }, /propagateTo/],
  ]
  for (const [options, message] of refused) {
    t.throws(() => laneChannel(options), { code: 'LANEWAY_INVALID_OPTION', message })
  }
  t.throws(() => laneInterceptor({ header: 'grpc-lane' }), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => laneInterceptor({ trusts: 'edge' } as never), { code: 'LANEWAY_INVALID_OPTION' })
})

t.test('wrong targets and credentials fail as they do without Laneway', async t => {
  t.throws(() => client(t, 7 as never, laneChannel()), TypeError)
  t.throws(() => client(t, 'sc-b', laneChannel(), {} as never), TypeError)
})
