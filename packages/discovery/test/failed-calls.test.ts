import { channel } from 'node:diagnostics_channel'
import { get } from 'node:http'
import t, { type Test } from 'tap'
import { createLaneResolver, type EndpointInput } from '../src/index.js'
import { endpoint } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

/** A resolver whose source lists some services; its warnings. */
function listed(t: Test, services: Record<string, readonly EndpointInput[]>) {
  const warnings: string[] = []
  const source = { ...createScriptedSource({ name: 'nacos', services }), where: '127.0.0.1:8848, namespace public' }
  const resolver = createLaneResolver({ sources: [source], env: {}, warn: warning => void warnings.push(warning) })
  t.teardown(() => resolver.close())
  source.lists(...Object.keys(services))
  for (const service of Object.keys(services)) resolver.match(service, undefined, false)
  return { resolver, source, warnings }
}

/** A call that no adapter of Laneway sees; ".invalid" and the like never leave the machine. */
async function call(url: string): Promise<string | undefined> {
  const { port, hostname } = new URL(url)
  return new Promise(resolve => {
    const lookup = (name: string, _options: unknown, done: (error: Error) => void) =>
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', hostname: name }))
    get({ host: hostname, port: port || 80, lookup: lookup as never, agent: false })
      .on('error', error => resolve((error as { code?: string }).code))
      .on('response', response => resolve(`${response.statusCode}`))
  })
}

t.test('a call to a known service that fails in DNS says once that it did not go through Laneway', async t => {
  const { warnings } = listed(t, { 'sc-b': [endpoint()] })
  t.equal(await call('http://sc-b/'), 'ENOTFOUND')
  await call('http://SC-B/a')
  t.strictSame(warnings, [
    'sc-b is not in DNS, but sc-b is a service (nacos 127.0.0.1:8848, namespace public): this call did not go through ' +
      'Laneway. Give its client a LaneAgent (axios, got, http), composeLane() or createLaneFetch() (undici, fetch), or start ' +
      'the process with --import @laneway/register',
  ])
})

t.test('fetch without a dispatcher gets the same hint', async t => {
  const { warnings } = listed(t, { 'sc-b': [endpoint()] })
  const error = Object.assign(new Error('getaddrinfo ENOTFOUND sc-b'), { code: 'ENOTFOUND', hostname: 'sc-b' })
  const connectParams = { host: 'sc-b', hostname: 'sc-b', protocol: 'http:', port: '', servername: null }
  channel('undici:client:connectError').publish({ connectParams, connector() {}, error })
  t.match(warnings, [/^sc-b is not in DNS, but sc-b is a service/])
})

t.test('a port that the service does not have: the hint names those that it has', async t => {
  const { resolver, warnings } = listed(t, {
    'sc-b': [endpoint({ port: 8081 }), endpoint({ port: 8082 }), endpoint({ port: 8081, host: '10.0.0.2' })],
  })
  t.equal(resolver.match('sc-b', 8080, false), undefined)
  await call('http://sc-b:8080/')
  t.strictSame(warnings, [
    'sc-b:8080 cannot be reached, and Laneway left it to DNS: the instances of sc-b have the ports 8081, 8082. ' +
      'Leave the port out of the URL, or use one of theirs',
  ])
})

t.test('a name that no source has: the hint names the registry and what was probably meant', async t => {
  const { resolver, source, warnings } = listed(t, { 'sc-b': [endpoint()], orders: [endpoint()] })
  for (const name of ['sc-bb', 'payments']) {
    resolver.match(name, undefined, false)
    source.snapshot(name, [])
    await resolver.lookup(name)
    await call(`http://${name}/`)
  }
  t.strictSame(warnings, [
    'sc-bb is not in DNS, and no instance of it is registered (nacos 127.0.0.1:8848, namespace public); did you mean sc-b?',
    'payments is not in DNS, and no instance of it is registered (nacos 127.0.0.1:8848, namespace public); ' +
      'is it started, and registered there?',
  ])
})

t.test('a failure that the set-up does not cause gets no hint', async t => {
  const { resolver, warnings } = listed(t, { 'sc-b': [endpoint()], own: [endpoint({ host: 'own' })] })
  await call('http://api.example.com/') // no service by its form
  await call('http://own/') // the address of an instance
  await call('http://never-asked/') // nobody knows
  const { promise, resolve } = withResolvers()
  get({ host: 'sc-b', port: 80, agent: false, signal: AbortSignal.abort() }).on('error', resolve)
  await promise
  t.strictSame(warnings, [])
  await resolver.close()
  await call('http://sc-b/')
  t.strictSame(warnings, [])
  t.notOk(channel('http.client.request.error').hasSubscribers, 'nothing is watched without a resolver')
  t.notOk(channel('undici:client:connectError').hasSubscribers)
})

t.test('hosts that are warned about are bounded', async t => {
  const { resolver, source, warnings } = listed(t, { 'sc-b': [endpoint()] })
  for (let index = 0; index < 120; index++) {
    const name = `no-service-${index}`
    resolver.match(name, undefined, false)
    source.snapshot(name, [])
    await call(`http://${name}/`)
  }
  t.equal(warnings.length, 100)
})

function withResolvers(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise(settle => {
    resolve = settle
  })
  return { promise, resolve }
}
