import { createServer, type IncomingMessage } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { IngressOptions } from '@laneway/core'
import { createIngress, hasLaneMember, type Ingress } from '@laneway/core/internal'
import { listen, rawRequest } from '@laneway/testkit'
import t, { type Test } from 'tap'

const MSE_GRAY = '__microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D'

interface Seen {
  readonly lane: string | null
  readonly names: readonly string[]
  readonly baggage: readonly string[]
}

/** What a handler behind an ingress can copy from a request, from any of its views. */
async function server(t: Test, options: IngressOptions, maxHeadersCount?: number) {
  const ingress = createIngress('test', options)
  const far = createServer((request, response) => response.end(JSON.stringify(look(ingress, request))))
  if (maxHeadersCount !== undefined) far.maxHeadersCount = maxHeadersCount
  const port = await listen(t, far)
  return async (lines: readonly string[]): Promise<Seen> => {
    const answer = await rawRequest(
      port,
      ['GET / HTTP/1.1', 'Host: a', 'Connection: close', ...lines, '', ''].join('\r\n'),
    )
    return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))
  }
}

function look(ingress: Ingress, request: IncomingMessage): Seen {
  const { lane } = ingress(request)
  const { headers, headersDistinct, rawHeaders } = request
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1]!] as const] : []))
  const names = [...Object.keys(headers), ...Object.keys(headersDistinct), ...pairs.map(([name]) => name)]
  return {
    lane: lane?.header ?? null,
    names: names.filter(name => !/^(host|connection|te)$/i.test(name)),
    baggage: pairs.filter(([name]) => /^baggage$/i.test(name)).map(([, value]) => value),
  }
}

const filler = (count: number) => Array<string>(count).fill('TE: a')

t.test('a tag on a line that headers does not show does not pass an edge', async t => {
  const edge = await server(t, { trust: 'edge' })
  for (const count of [1, 40, 997, 998, 999, 1005, 1020]) {
    for (const line of ['x-mse-tag: gray', 'X-Mse-Tag: gray', 'x_mse_tag: gray', `baggage: ${MSE_GRAY}`]) {
      t.strictSame(await edge([...filler(count), line]), { lane: null, names: [], baggage: [] }, `${count} and ${line}`)
    }
    const mixed = await edge([...filler(count), `baggage: a=1,${MSE_GRAY},b=2`])
    t.strictSame(mixed.baggage, ['a=1,b=2'], `${count} and foreign members`)
  }
})

t.test('a believed request is in the lane that its lines say, shown in headers or not', async t => {
  const inner = await server(t, { trust: 'internal' })
  for (const count of [1, 40, 998, 1005]) {
    t.equal((await inner([...filler(count), 'x-mse-tag: gray'])).lane, 'gray', `${count} and the tag`)
    t.equal((await inner([...filler(count), `baggage: ${MSE_GRAY}`])).lane, 'gray', `${count} and baggage`)
    t.equal((await inner(['x-mse-tag: gray', ...filler(count), 'x-mse-tag: gray'])).lane, 'gray', `${count}, twice`)
    const conflict = await inner(['x-mse-tag: gray', ...filler(count), 'x-mse-tag: blue'])
    t.strictSame([conflict.lane, conflict.names], [null, []], `${count} between two tags`)
    const invalid = await inner([...filler(count), 'x-mse-tag: -'])
    t.strictSame([invalid.lane, invalid.names], [null, []], `${count} and no tag`)
  }
})

t.test('a server that keeps fewer headers is held to what it keeps', async t => {
  const edge = await server(t, { trust: 'edge' }, 4)
  const inner = await server(t, { trust: 'internal' }, 4)
  for (const count of [1, 2, 3, 10, 20]) {
    t.strictSame(await edge([...filler(count), 'x-mse-tag: gray']), { lane: null, names: [], baggage: [] })
    t.equal((await inner([...filler(count), 'x-mse-tag: gray'])).lane, 'gray', `${count}`)
    t.equal((await inner(['x-mse-tag: gray', ...filler(count), 'x-mse-tag: blue'])).lane, null, `${count} between`)
  }
})

const ALIASES = ['x_mse_tag', 'X_MSE_TAG', 'x-mse_tag', 'x_mse-tag', 'X_Mse-Tag', 'x.mse.tag']
const STRANGERS = [
  'x-mse-tags',
  'x-mse-ta',
  'xx-mse-tag',
  'x-mse-tag-',
  '-x-mse-tag',
  'xmse-tag',
  'forwarded',
  'x-mse-t4g',
]

t.test('an edge removes the names that other servers take for the lane header, and no others', async t => {
  const edge = await server(t, { trust: 'edge' })
  for (const name of ALIASES) t.strictSame((await edge([`${name}: gray`])).names, [], name)
  for (const name of STRANGERS) t.strictSame((await edge([`${name}: gray`])).names, [name, name, name], name)
  t.strictSame((await edge([...ALIASES, ...ALIASES].map(name => `${name}: gray`))).names, [], 'all of them, twice')
})

t.test('with a header of its own, an edge removes the default one and the aliases of both', async t => {
  const edge = await server(t, { trust: 'edge', header: 'x-lane' })
  for (const name of [...ALIASES, 'x-mse-tag', 'X-Mse-Tag', 'x-lane', 'X_LANE', 'x.lane']) {
    t.strictSame((await edge([`${name}: gray`])).names, [], name)
  }
})

t.test('a trusted sender keeps headers that other servers read as the tag', async t => {
  for (const trust of ['internal', 'private', () => true] as const) {
    const inner = await server(t, { trust })
    const seen = await inner(['x_mse_tag: gray'])
    t.strictSame([seen.lane, seen.names], [null, ['x_mse_tag', 'x_mse_tag', 'x_mse_tag']], String(trust))
  }
})

t.test('an alias over HTTP/2 does not pass an edge', async t => {
  const ingress = createIngress('test', { trust: 'edge' })
  const far = createHttp2Server((request, response) => {
    ingress(request)
    response.end(JSON.stringify([...Object.keys(request.headers), ...request.rawHeaders]))
  })
  const client = connect(`http://127.0.0.1:${await listen(t, far)}`)
  t.teardown(() => client.destroy())
  for (const headers of [
    { x_mse_tag: 'gray' },
    { 'x-mse_tag': ['gray', 'blue'] },
    { baggage: [MSE_GRAY, `+${MSE_GRAY}`] },
  ]) {
    let text = ''
    for await (const chunk of client.request({ ':path': '/', ...headers } as never)) text += chunk
    t.notMatch(text, /gray|mse.tag/)
  }
})

t.test('a request without raw headers is held to its headers', async t => {
  const request = { headers: { x_mse_tag: 'gray', other: '1' } as Record<string, string> }
  t.equal(createIngress('test', { trust: 'edge' })(request).stripped, true)
  t.strictSame(request.headers, { other: '1' })
})

/**
 * Keys as the readers of other languages would take them: Python undoes `+` and strips all white space of Unicode, old
 * releases make keys lower case, and the first ones write `a,x-mse-tag` as it is.
 */
const LENIENT = [
  '+__microservice_tag__',
  '__microservice_tag__+',
  '%2B__microservice_tag__',
  '%20x-mse-tag',
  'x-mse-tag%09',
  'x-mse-tag%0d%0a',
  'x-mse-tag%1c',
  'x-mse-tag%85',
  'x-mse-tag%a0',
  '%C2%A0x-mse-tag',
  '%C2%85x-mse-tag',
  '%E2%80%83x-mse-tag',
  '%E3%80%80x-mse-tag',
  '%EF%BB%BFx-mse-tag',
  '%E2%80%8Bx-mse-tag',
  'x%00-mse-tag',
  '%5F%5fmicroservice_tag__',
  '%255F_microservice_tag__',
  '%25255F_microservice_tag__',
  '%2%355F_microservice_tag__',
  '%25%35F_microservice_tag__',
  'x-mse-tag;a',
  'x-mse-tag%3Ba',
  'x-mse-tag%3D',
  '\u00a0x-mse-tag',
  '\u0085x-mse-tag',
  'x-mse-tag\t ',
  'X-MSE-TAG',
  'x-Mse-tag',
  '__Microservice_Tag__',
  '%58-mse-tag',
  '%2C__microservice_tag__',
  'a%2Cx-mse-tag',
  'a%252C+x-mse-tag',
  'aaa%2cbbb%3D1%2C%20X-mse-tag%20%3D1%2cc',
  'x-mse-tag%2Ca',
]

t.test('a baggage key that any reader takes for ours does not pass an edge', async t => {
  const edge = await server(t, { trust: 'edge' })
  for (const key of LENIENT) {
    for (const around of [`${key}=gray`, `a=1,${key}=gray;p=1`, `${key} = gray , b=2`]) {
      const { baggage } = await edge([`baggage: ${Buffer.from(around, 'latin1').toString('latin1')}`])
      t.notMatch(baggage.join(), /gray/, JSON.stringify(around))
    }
  }
})

t.test('a believed baggage member is read as the most lenient reader reads it', async t => {
  const inner = await server(t, { trust: 'internal' })
  for (const key of LENIENT.filter(one => one.includes('micro'))) {
    t.equal((await inner([`baggage: a=1,${MSE_GRAY.replace('__microservice_tag__', key)}`])).lane, 'gray', key)
  }
})

t.test('foreign baggage passes byte for byte, however close its keys come', async t => {
  const edge = await server(t, { trust: 'edge' })
  const foreign =
    'a=x-mse-tag,%zz=1, b = %20+ ;x-mse-tag=1,x-mse-tag%C3%A9=1,x-mse-tagg=2,%,%2,x-MSE-tagg=3,y+x-mse-tag=4,y%2Cz%2Cx-mse=5'
  t.strictSame((await edge([`baggage: ${foreign}`])).baggage, [foreign])
  t.strictSame((await edge([`baggage: ${foreign},+x-mse-tag=gray`])).baggage, [foreign])
  t.equal(hasLaneMember(foreign), false)
})
