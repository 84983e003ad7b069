import { runInLane } from '@laneway/core'
import { seenServer } from '../seen-server.js'
import { egressEvents, type Sentences, scene, tagsOf } from '../sentences.js'

const MSE_GRAY = '__microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D'

/** Who gets the tag. */
export const scopeSentences: Sentences = {
  async 'the tag list goes on unchanged, whatever endpoint was chosen'(t, adapter) {
    const { base, gray, client } = await scene(t, adapter)
    for (const [lane, path] of [
      ['gray', '/1?x=1'],
      ['blue', '/2'],
      ['gray-2,gray', '/3'],
      [undefined, '/4'],
    ] as const) {
      await runInLane(lane, client, `http://sc-b${path}`)
    }
    t.strictSame(
      [...gray.seen, ...base.seen].map(({ url, tags, host }) => ({ url, tags, host })),
      [
        { url: '/1?x=1', tags: ['gray'], host: 'sc-b' },
        { url: '/3', tags: ['gray-2,gray'], host: 'sc-b' },
        { url: '/2', tags: ['blue'], host: 'sc-b' },
        { url: '/4', tags: [], host: 'sc-b' },
      ],
    )
  },

  async 'internal hosts and propagateTo get the tag, and no others, whoever set it'(t, adapter) {
    const far = await seenServer(t, 'far')
    const propagateTo = ['api.partner.example', '*.ours.example', '198.51.100.0/24']
    const client = adapter.client(t, { propagateTo, warn() {} })
    for (const [host, gets] of Object.entries({
      'sc-b': true,
      'SC-B.': true,
      'sc-b.shop.svc': true,
      'sc-b.shop.svc.cluster.local': true,
      'db.internal': true,
      'printer.local': true,
      localhost: true,
      '127.0.0.1': true,
      'api.partner.example': true,
      'API.partner.example.': true,
      'deep.ours.example': true,
      'ours.example': false,
      'third.example': false,
      'evil-api.partner.example': false,
      'api.partner.example.evil.example': false,
      'metadata.google.internal': false,
    })) {
      for (const headers of [{}, { 'X-Mse-Tag': 'gray' }]) {
        await runInLane('gray', client, `http://${host}:${far.port}/`, { headers })
        t.strictSame(far.seen.pop()?.tags, gets ? ['gray'] : [], `${host} ${JSON.stringify(headers)}`)
      }
    }
  },

  async 'out of scope the tag is removed, and nothing else'(t, adapter) {
    const far = await seenServer(t, 'far')
    const client = adapter.client(t, { warn() {} })
    const baggage = `a=1 ,x-mse-tag=gray;p=1,${MSE_GRAY},b=%20`
    const headers = { 'X-Mse-Tag': 'gray', baggage, 'x-other': 'kept' }
    const url = `http://third.example:${far.port}/`
    await client(url, { headers })
    await runInLane('blue', client, url, { headers: { 'x-mse-tag': 'gray', baggage: 'x-mse-tag=blue' } })
    t.match(far.seen, [{ tags: [], baggage: 'a=1 ,b=%20', headers: { 'x-other': 'kept' } }, { tags: [] }])
    t.equal(far.seen[1]?.baggage, undefined)
    t.strictSame(headers, { 'X-Mse-Tag': 'gray', baggage, 'x-other': 'kept' }, "the caller's headers stay as they were")
  },

  async 'the first time a lane is kept from a host, one warning names host and option'(t, adapter) {
    const far = await seenServer(t, 'far')
    const warnings: string[] = []
    const client = adapter.client(t, { warn: message => warnings.push(message) })
    const events = egressEvents(t)
    for (const host of ['third.example', 'third.example', 'fourth.example']) {
      await runInLane('gray', client, `http://${host}:${far.port}/`)
    }
    await client(`http://fifth.example:${far.port}/`)
    t.equal(warnings.length, 2)
    t.match(warnings[0], /third\.example.*propagateTo/)
    t.strictSame(
      events.map(one => `${one.action} ${one.host} ${one.lane?.header}`),
      ['blocked third.example gray', 'blocked third.example gray', 'blocked fourth.example gray'],
    )
  },

  async 'keepHandSet leaves a tag set by hand on any host but metadata services, never the lane of the caller'(
    t,
    adapter,
  ) {
    const far = await seenServer(t, 'far')
    const client = adapter.client(t, { keepHandSet: true, warn() {} })
    const url = `http://third.example:${far.port}/`
    const headers = { 'x-mse-tag': 'gray' }
    await runInLane('blue', client, url, { headers })
    await runInLane('blue', client, url)
    await client(`http://metadata.google.internal:${far.port}/`, { headers })
    await client(url, { headers: { 'x-mse-tag': 'no tag' } })
    t.strictSame(tagsOf(far), [['gray'], [], [], []])
  },

  async 'where the URL names an address, Host names the target'(t, adapter) {
    if (adapter.cannotSend?.includes('Host')) return t.comment('this client sets Host itself')
    const far = await seenServer(t, 'far')
    const client = adapter.client(t, { warn() {} })
    for (const [host, gets] of [
      ['third.example', false],
      ['169.254.169.254', false],
      ['127.0.0.1@evil.example', false],
      ['orders:8080', true],
      [`127.0.0.1:${far.port}`, true],
    ] as const) {
      await runInLane('gray', client, `http://127.0.0.1:${far.port}/`, { headers: { host } })
      t.match(far.seen.pop(), { host, tags: gets ? ['gray'] : [] }, host)
    }
  },

  async 'a Host that the caller set stays on the way to a service'(t, adapter) {
    if (adapter.cannotSend?.includes('Host')) return t.comment('this client sets Host itself')
    const { base, client } = await scene(t, adapter)
    await client('http://sc-b/', { headers: { host: 'orders.shop' } })
    t.equal(base.seen[0]?.host, 'orders.shop')
  },

  async 'foreign baggage passes byte for byte, and a member that contradicts the pick does not'(t, adapter) {
    const { base, gray, client } = await scene(t, adapter)
    const foreign = 'a=1;p = q , ,b=%20'
    for (const baggage of [foreign, `${foreign},${MSE_GRAY},x-mse-tag=gray`, `${foreign},x-mse-tag=blue`]) {
      await runInLane('gray', client, 'http://sc-b/', { headers: { baggage } })
    }
    await client('http://sc-b/', { headers: { baggage: MSE_GRAY } })
    t.strictSame(
      gray.seen.map(one => one.baggage),
      [foreign, `${foreign},${MSE_GRAY},x-mse-tag=gray`, `x-mse-tag=gray,${foreign}`],
    )
    t.strictSame(
      base.seen.map(one => one.baggage),
      [undefined],
    )
  },

  async 'with the option baggage the lane is the first member for hosts in scope, and for no others'(t, adapter) {
    const { base, gray, client } = await scene(t, adapter, { baggage: true })
    await runInLane('gray', client, 'http://sc-b/', { headers: { baggage: 'a=1,x-mse-tag=blue' } })
    await runInLane('gray-2,gray', client, 'http://sc-b/')
    await client('http://sc-b/', { headers: { baggage: 'a=1,x-mse-tag=blue' } })
    const far = await seenServer(t, 'far')
    await runInLane('gray', client, `http://third.example:${far.port}/`)
    t.strictSame(
      [...gray.seen, ...base.seen, ...far.seen].map(one => one.baggage),
      ['x-mse-tag=gray,a=1', 'x-mse-tag=gray-2%2Cgray', 'a=1', undefined],
    )
  },

  async "with baggage: 'mse' the lane is MSE's member, for hosts in scope, and for no others"(t, adapter) {
    const { base, gray, client } = await scene(t, adapter, { baggage: 'mse' })
    await runInLane('gray', client, 'http://sc-b/', { headers: { baggage: 'a=1,x-mse-tag=gray' } })
    await client('http://sc-b/', { headers: { baggage: `a=1,${MSE_GRAY}` } })
    const far = await seenServer(t, 'far')
    await runInLane('gray', client, `http://third.example:${far.port}/`)
    const list = encodeURIComponent('[{"name":"gray","tag":"gray","priority":-1}]')
    t.strictSame(
      [...gray.seen, ...base.seen, ...far.seen].map(one => one.baggage),
      [`__microservice_tag__=${list},a=1`, 'a=1', undefined],
    )
    t.strictSame(gray.seen[0]?.tags, ['gray'], 'the header is written as always')
  },

  async 'another header can carry the lane'(t, adapter) {
    const far = await seenServer(t, 'far')
    const client = adapter.client(t, { header: 'X-Env' })
    await runInLane('gray', client, `http://localhost:${far.port}/`)
    t.match(far.seen, [{ tags: [], headers: { 'x-env': 'gray' } }])
  },

  async "a port that is not the service's goes to DNS, with the tag by scope"(t, adapter) {
    const far = await seenServer(t, 'far')
    const { gray, client } = await scene(t, adapter)
    for (const url of ['http://sc-b/', 'http://sc-b:80/', `http://sc-b:${far.port}/metrics`]) {
      await runInLane('gray', client, url)
    }
    t.equal(gray.seen.length, 2, "the scheme's default port is the service's")
    t.match(far.seen, [{ url: '/metrics', host: `sc-b:${far.port}`, tags: ['gray'] }])
  },

  async 'without a resolver the tag is forwarded and nothing else changes'(t, adapter) {
    const far = await seenServer(t, 'far')
    const client = adapter.client(t, {})
    const url = `http://localhost:${far.port}/x?y=1`
    await runInLane('gray', client, url, { method: 'POST', body: 'body' })
    t.match(far.seen, [{ method: 'POST', url: '/x?y=1', tags: ['gray'], body: 'body', host: `localhost:${far.port}` }])
  },
}
