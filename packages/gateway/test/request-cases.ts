import { type Fields, headerFrames } from './http2-raw.js'

/** What an upstream got. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One row of the README's table of requests. */
export interface RequestCase {
  /** Which gateway, see `GATEWAYS`. */
  readonly gateway?: 'ordinary' | 'proxied' | 'renamed' | 'hasty'
  /** What a client of HTTP/1.1 sends, one connection each; all of them have the same outcome. */
  readonly http1?: readonly string[]
  /** What a client of HTTP/2 sends on stream 1, one connection each; as fields, or as frames. */
  readonly http2?: readonly (Fields | Buffer)[]
  /** In the words of the table, what became of a request that an upstream got. */
  readonly look?: (seen: Seen) => string
}

const CRLF = '\r\n'
const h1 = (first: string, ...lines: string[]): string =>
  `${[first, 'Host: a', 'Connection: close', ...lines].join(CRLF)}${CRLF}${CRLF}`
const get = (...lines: string[]): string => h1('GET /x HTTP/1.1', ...lines)
/** Only these lines. */
const only = (...lines: string[]): string => `${lines.join(CRLF)}${CRLF}${CRLF}`
export const h2 = (...more: Fields): Fields => [
  [':method', 'GET'],
  [':path', '/x'],
  [':scheme', 'http'],
  [':authority', 'a'],
  ...more,
]
const h2without = (name: string, ...more: Fields): Fields => [...h2().filter(([one]) => one !== name), ...more]
const pad = (count: number, name = 'x-pad'): Fields => Array.from({ length: count }, (_, at) => [`${name}-${at}`, '1'])
const lines = (fields: Fields): string[] => fields.map(([name, value]) => `${name}: ${value}`)

/** Stripped when none of these is there. */
const fields =
  (...names: string[]) =>
  ({ headers }: Seen): string => {
    const there = names.filter(name => headers[name] !== undefined)
    return there.length === 0 ? 'stripped' : there.length === names.length ? 'passed on' : `in part: ${there}`
  }
const passed = (): string => 'passed on'

const FORWARDED: Fields = [
  ['x-forwarded-for', '6.6.6.6'],
  ['x-forwarded-host', 'evil'],
  ['x-forwarded-proto', 'evil'],
  ['x-forwarded-port', '6'],
  ['forwarded', 'for=6.6.6.6'],
  ['x-real-ip', '6.6.6.6'],
  ['x_forwarded_for', '6.6.6.6'],
  ['x-forwarded_host', 'evil'],
  ['x_real_ip', '6.6.6.6'],
]

/** Spellings of which some reader makes the lane's key. */
const MEMBERS = [
  'x-mse-tag=gray',
  '%78-mse-tag=gray',
  '+x-mse-tag=gray',
  'x-mse-tag+=gray',
  ' x-mse-tag =gray;p=1',
  '%20__microservice_tag__=gray',
  '__microservice_tag__%09=gray',
  '%5F_microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D',
  '%C2%A0x-mse-tag=gray',
]
const baggage = MEMBERS.map(member => `a=1,${member},b=%`)

export const REQUEST_CASES: Readonly<Record<string, RequestCase>> = {
  'A path as it is: `/a/../b`, `//`, `%2e`, `%zz`, a long query': {
    http1: ['/a/../b', '//x', '/%2e%2E/%zz', `/?${'q'.repeat(8000)}`].map(path => h1(`GET ${path} HTTP/1.1`)),
    http2: ['/a/../b', '//x', '/%2e%2E/%zz', `/?${'q'.repeat(8000)}`].map(path => h2without(':path', [':path', path])),
    look: ({ url }) => (['/a/../b', '//x', '/%2e%2E/%zz', `/?${'q'.repeat(8000)}`].includes(url) ? 'passed on' : url),
  },
  'A body of a `GET`': {
    http1: [`${h1('GET /x HTTP/1.1', 'Content-Length: 2')}hi`],
    http2: [Buffer.concat([headerFrames(1, h2(), false), Buffer.from([0, 0, 2, 0, 1, 0, 0, 0, 1]), Buffer.from('hi')])],
    look: ({ body }) => (body === 'hi' ? 'passed on' : `the body ${body}`),
  },
  'A method that Node does not know': {
    http1: [h1('FOO /x HTTP/1.1')],
    http2: [[[':method', 'FOO'], ...h2().slice(1)]],
  },
  '`OPTIONS *`': {
    http1: [h1('OPTIONS * HTTP/1.1')],
    http2: [[[':method', 'OPTIONS'], [':path', '*'], ...h2().slice(2)]],
  },
  'A target with `#`': {
    http1: [h1('GET /x#y HTTP/1.1'), h1('GET http://a/x#y HTTP/1.1'), h1('GET /?#/admin HTTP/1.1')],
    http2: [h2without(':path', [':path', '/x#y']), h2without(':path', [':path', '/?#/admin'])],
  },
  'A target that is a URL': {
    http1: [h1('GET http://b:81/x HTTP/1.1'), h1('GET HTTPS://b:81/x HTTP/1.1')],
    http2: [h2without(':path', [':path', 'http://b:81/x'])],
    look: ({ url, headers }) =>
      url === '/x' && headers['host'] === 'b:81' && headers['x-forwarded-host'] === 'b:81'
        ? 'its host is `Host` and `X-Forwarded-Host`'
        : JSON.stringify(headers),
  },
  'The same of HTTP/1.0, without `Host`': {
    http1: [only('GET http://b:81/x HTTP/1.0'), only('GET http://b:81/x HTTP/1.0', 'X-Forwarded-Host: evil')],
    look: ({ url, headers }) =>
      url === '/x' && headers['host'] === 'b:81' && headers['x-forwarded-host'] === 'b:81'
        ? 'its host is `Host` and `X-Forwarded-Host`'
        : JSON.stringify(headers),
  },
  'A URL with user information, or of another scheme; no path at all': {
    http1: [
      h1('GET http://u@b/x HTTP/1.1'),
      h1('GET ftp://b/x HTTP/1.1'),
      h1('GET x HTTP/1.1'),
      h1('GET http:///x HTTP/1.1'),
    ],
    http2: [h2without(':path', [':path', 'ftp://b/x']), h2without(':path', [':path', 'x'])],
  },
  'No `Host` (`:authority`)': {
    http1: [only('GET /x HTTP/1.1', 'Connection: close')],
    http2: [h2without(':authority')],
  },
  'A `Host` (`:authority`) that is no host': {
    http1: ['a/b', 'a b'].map(host => only('GET /x HTTP/1.1', `Host: ${host}`, 'Connection: close')),
    http2: ['a/b', 'a b'].map(host => h2without(':authority', [':authority', host])),
  },
  'A `Host` (`:authority`) with user information': {
    http1: [only('GET /x HTTP/1.1', 'Host: u@a', 'Connection: close')],
    http2: [h2without(':authority', [':authority', 'u@a'])],
  },
  'Two `Host` lines': { http1: [get('Host: b'), get('HOST: a')] },
  '`:authority` and another `Host`': {
    http2: [h2(['host', 'b'])],
    look: ({ headers }) =>
      headers['host'] === 'a' && headers['x-forwarded-host'] === 'a' ? '`:authority` is `Host`' : headers['host']!,
  },
  '`CONNECT`': {
    http1: [only('CONNECT a:443 HTTP/1.1', 'Host: a:443'), `${only('CONNECT a:443 HTTP/1.1', 'Host: a:443')}data`],
    http2: [
      headerFrames(
        1,
        [
          [':method', 'CONNECT'],
          [':authority', 'a:443'],
        ],
        false,
      ),
      headerFrames(
        1,
        [
          [':method', 'CONNECT'],
          [':authority', 'a:443'],
        ],
        true,
      ),
    ],
  },
  '`CONNECT` with `:protocol`': {
    http2: [headerFrames(1, [[':method', 'CONNECT'], [':protocol', 'websocket'], ...h2().slice(1)], false)],
  },
  '`Upgrade: h2c`': {
    http1: [
      only(
        'GET /x HTTP/1.1',
        'Host: a',
        'Connection: Upgrade, HTTP2-Settings, close',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABk',
      ),
    ],
    look: ({ headers }) =>
      headers['upgrade'] === undefined && headers['http2-settings'] === undefined ? 'served as HTTP/1.1' : 'passed on',
  },
  'A `Content-Length` and a `Transfer-Encoding`': {
    http1: [
      `${h1('POST /x HTTP/1.1', 'Content-Length: 4', 'Transfer-Encoding: chunked')}0${CRLF}${CRLF}`,
      `${h1('POST /x HTTP/1.1', 'Transfer-Encoding: chunked', 'Content-Length: 4')}0${CRLF}${CRLF}`,
    ],
    http2: [h2(['content-length', '0'], ['transfer-encoding', 'chunked'])],
  },
  'An empty `Transfer-Encoding`, beside a length or alone': {
    http1: [
      `${h1('POST /x HTTP/1.1', 'Content-Length: 2', 'Transfer-Encoding:')}hi`,
      `${h1('POST /x HTTP/1.1', 'Transfer-Encoding: ', 'Content-Length: 2')}hi`,
      h1('POST /x HTTP/1.1', 'Transfer-Encoding:'),
    ],
    http2: [h2(['content-length', '0'], ['transfer-encoding', ''])],
  },
  'A transfer coding that is not `chunked` alone; any in HTTP/1.0': {
    http1: [
      `${h1('POST /x HTTP/1.1', 'Transfer-Encoding: gzip, chunked')}0${CRLF}${CRLF}`,
      h1('POST /x HTTP/1.1', 'Transfer-Encoding: identity'),
      `${h1('POST /x HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0${CRLF}${CRLF}`,
      `${h1('POST /x HTTP/1.0', 'Transfer-Encoding: chunked')}0${CRLF}${CRLF}`,
    ],
    http2: [h2(['transfer-encoding', 'gzip'])],
  },
  'Two lengths, or one that is no number': {
    http1: ['Content-Length: 1, 1', 'Content-Length: +1', 'Content-Length: 1\r\nContent-Length: 2'].map(
      line => `${h1('POST /x HTTP/1.1', line)}a`,
    ),
    http2: [h2(['content-length', '1'], ['content-length', '2']), h2(['content-length', '+1'])],
  },
  'Bytes that are no HTTP': {
    http1: [
      '\0\0\0\r\n\r\n',
      'GET /x HTTP/9.9\r\n\r\n',
      'GET /x\r\n\r\n',
      `GET /x HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n`,
    ],
    http2: [Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  },
  'Up to 900 header lines': {
    http1: [get(...lines(pad(890)))],
    http2: [h2(...pad(890))],
    look: passed,
  },
  'More header lines': {
    http1: [get(...lines(pad(899))), get(...lines(pad(1010)), 'x-mse-tag: gray')],
    http2: [h2(...pad(897)), h2(...pad(1010), ['x-mse-tag', 'gray'])],
  },
  'A head of more than 16 kB': {
    http1: [get(`X: ${'y'.repeat(17_000)}`), h1(`GET /${'y'.repeat(17_000)} HTTP/1.1`)],
    http2: [h2(['x', 'y'.repeat(17_000)]), h2without(':path', [':path', `/${'y'.repeat(17_000)}`])],
  },
  'A head of more than 64 kB': {
    http1: [get(`X: ${'y'.repeat(70_000)}`)],
    http2: [h2(['x', 'y'.repeat(70_000)])],
  },
  'The lane header, in any case and any number': {
    http1: [
      get('x-mse-tag: gray'),
      get('X-MSE-TAG: gray'),
      get('x-mse-tag: gray', 'X-Mse-Tag: blue'),
      get('X-Mse-Tag:'),
      get(...lines(pad(880)), 'x-mse-tag: gray'),
    ],
    http2: [
      h2(['x-mse-tag', 'gray']),
      h2(['x-mse-tag', 'gray'], ['x-mse-tag', 'blue']),
      h2(...pad(880), ['x-mse-tag', 'gray']),
    ],
    look: fields('x-mse-tag'),
  },
  '`x_mse_tag` and its like': {
    http1: ['x_mse_tag', 'X_MSE_TAG', 'x-mse_tag', 'x.mse.tag'].map(name => get(`${name}: gray`)),
    http2: ['x_mse_tag', 'x-mse_tag', 'x.mse.tag'].map(name => h2([name, 'gray'])),
    look: ({ headers }) => (Object.keys(headers).some(name => /^x.mse.tag$/.test(name)) ? 'passed on' : 'stripped'),
  },
  '`x-mse-tag` when `header` has another value': {
    gateway: 'renamed',
    http1: [get('x-mse-tag: gray'), get('X_MSE_TAG: gray'), get('x-lane: gray'), get('x_lane: gray')],
    http2: [h2(['x-mse-tag', 'gray']), h2(['x_mse_tag', 'gray']), h2(['x-lane', 'gray']), h2(['x_lane', 'gray'])],
    look: ({ headers }) =>
      Object.keys(headers).some(name => /^(x.mse.tag|x.lane)$/.test(name)) ? 'passed on' : 'stripped',
  },
  'The members of `baggage` that name the lane, in any encoding that some reader undoes': {
    http1: [...baggage.map(value => get(`baggage: ${value}`)), get('baggage: a=1,b=%', 'Baggage: x-mse-tag=gray')],
    http2: baggage.map(value => h2(['baggage', value])),
    look: ({ headers }) => (/tag/.test(headers['baggage'] ?? '') ? headers['baggage']! : 'stripped'),
  },
  'All other members of `baggage`': {
    http1: [...baggage.map(value => get(`baggage: ${value}`)), get('baggage: a=1,b=%')],
    http2: [...baggage.map(value => h2(['baggage', value])), h2(['baggage', 'a=1,b=%'])],
    look: ({ headers }) => (headers['baggage'] === 'a=1,b=%' ? 'passed on' : String(headers['baggage'])),
  },
  '`X-Forwarded-*`, `Forwarded`, `X-Real-IP`, and `x_forwarded_for` and its like': {
    http1: [get(...lines(FORWARDED))],
    http2: [h2(...FORWARDED)],
    look: ({ headers }) =>
      /6\.6\.6\.6|evil/.test(JSON.stringify(headers)) || headers['x-forwarded-port'] !== undefined
        ? `passed on: ${JSON.stringify(headers)}`
        : headers['x-forwarded-for'] === '127.0.0.1' && headers['x-forwarded-host'] === 'a'
          ? 'stripped, and written anew'
          : 'stripped',
  },
  'A field that `Connection` names': {
    http1: [
      only('GET /x HTTP/1.1', 'Host: a', 'Connection: close, X-Own', 'X-Own: 1'),
      only('GET /x HTTP/1.1', 'Host: a', 'Connection: close', 'X-Own: 1', 'Connection: x-own'),
    ],
    http2: [h2(['connection', 'x-own'], ['x-own', '1'])],
    look: fields('x-own'),
  },
  '`Connection: x-forwarded-proto` when `proxies` is 1 or more, and the like': {
    gateway: 'proxied',
    http1: [
      only(
        'GET /x HTTP/1.1',
        'Host: a',
        'Connection: close, x-forwarded-proto, x-forwarded-host, x-forwarded-for, x-real-ip, forwarded, host',
        ...['X-Forwarded-Proto: https', 'X-Forwarded-Host: shop', 'X-Forwarded-For: 9.9.9.9', 'X-Real-IP: 9.9.9.9'],
        'Forwarded: for=9.9.9.9',
      ),
    ],
    http2: [h2(['connection', 'x-forwarded-proto'], ['x-forwarded-proto', 'https'])],
    look: ({ headers }) =>
      headers['x-forwarded-proto'] === 'https' &&
      headers['x-forwarded-host'] === 'shop' &&
      headers['x-forwarded-for'] === '9.9.9.9, 127.0.0.1' &&
      headers['x-real-ip'] === '9.9.9.9' &&
      headers['forwarded']?.startsWith('for=9.9.9.9, ') === true &&
      headers['host'] === 'a'
        ? 'the named fields are passed on'
        : JSON.stringify(headers),
  },
  '`Keep-Alive`, `Proxy-Connection`, `Upgrade`': {
    http1: [get('Keep-Alive: x', 'Proxy-Connection: x', 'Upgrade: x')],
    http2: [h2(['keep-alive', 'x']), h2(['proxy-connection', 'x']), h2(['upgrade', 'x'])],
    look: fields('keep-alive', 'proxy-connection', 'upgrade'),
  },
  '`Proxy-Authorization`, `Proxy-Authenticate`, `TE`, `Trailer`': {
    http1: [get('Proxy-Authorization: x', 'Proxy-Authenticate: x', 'TE: trailers', 'Trailer: x')],
    http2: [h2(['proxy-authorization', 'x'], ['proxy-authenticate', 'x'], ['te', 'trailers'], ['trailer', 'x'])],
    look: fields('proxy-authorization', 'proxy-authenticate', 'te', 'trailer'),
  },
  Trailers: {
    http1: [
      `${h1('POST /x HTTP/1.1', 'Transfer-Encoding: chunked')}1${CRLF}a${CRLF}0${CRLF}x-mse-tag: gray${CRLF}x-sum: 1${CRLF}${CRLF}`,
    ],
    http2: [
      Buffer.concat([
        headerFrames(1, h2(), false),
        Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 1, 97]),
        headerFrames(
          1,
          [
            ['x-mse-tag', 'gray'],
            ['x-sum', '1'],
          ],
          true,
        ),
      ]),
    ],
    look: ({ headers, body }) =>
      body === 'a' && headers['x-sum'] === undefined && headers['x-mse-tag'] === undefined ? 'stripped' : 'passed on',
  },
  '`Expect: 100-continue`': {
    http1: [`${h1('POST /x HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 2')}hi`],
    http2: [h2(['expect', '100-continue'])],
    look: fields('expect'),
  },
  'Another expectation': { http1: [get('Expect: a-miracle')], http2: [h2(['expect', 'a-miracle'])] },
  'A head that takes longer than `client.headersTimeoutMs`': {
    gateway: 'hasty',
    http1: ['GET /x HTTP/1.1\r\nHost: a\r\nX-'],
    http2: [Buffer.alloc(0)],
  },
  'A body of which nothing comes for `client.stallTimeoutMs`': {
    gateway: 'hasty',
    http1: [`${h1('POST /x HTTP/1.1', 'Content-Length: 5')}hi`],
    http2: [
      Buffer.concat([
        headerFrames(1, h2(['content-length', '5']), false),
        Buffer.from([0, 0, 2, 0, 0, 0, 0, 0, 1]),
        Buffer.from('hi'),
      ]),
    ],
  },
}
