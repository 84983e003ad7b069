// The README's table of answers: each row is tried, and each case has its row.
import http2 from 'node:http2'
import { rawRequest } from '@laneway/testkit'
import t from 'tap'
import { ask, type Got, rawUpstream } from './raw-upstream.js'
import { readmeTable } from './readme-table.js'
import { start } from './world.js'

/** An answer, of whatever protocol. */
interface Answer {
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
  readonly trailers: Readonly<Record<string, unknown>>
}

interface Case {
  /** What the upstream sends, one answer each; all of them have the same outcome. */
  readonly bytes: readonly string[]
  readonly method?: 'HEAD'
  /** The request is in a lane, because of its caller. */
  readonly gray?: true
  /** In the words of the table. */
  readonly look?: (answer: Answer) => string
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'
const plain = (...lines: string[]): string => `${ok}${lines.map(line => `${line}\r\n`).join('')}\r\nok`
const chunked = (...trailers: string[]): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers.map(line => `${line}\r\n`).join('')}\r\n`
const gone =
  (...names: string[]) =>
  ({ headers }: Answer): string =>
    names.some(name => headers[name] !== undefined) ? `passed on: ${Object.keys(headers)}` : 'stripped'
const body = ({ body }: Answer): string => (body === '' ? 'passed on without the body' : `passed on with ${body}`)

/** Single fields, twice: the same and differing. */
const SINGLE = ['ETag', 'Content-Type', 'X-Content-Type-Options', 'Location', 'Age', 'Retry-After', 'Last-Modified']
const SHARED = ['CDN-Cache-Control', 'Edge-Control', 'Surrogate-Control', 'X-Accel-Expires']
const cacheable = plain('Cache-Control: public, max-age=9', ...SHARED.map(name => `${name}: max-age=9`))

const CASES: Readonly<Record<string, Case>> = {
  'A field twice that may come once, such as `ETag` or `Content-Type`': {
    bytes: SINGLE.flatMap(name => [plain(`${name}: 1`, `${name}: 1`), plain(`${name}: 1`, `${name}: 2`)]),
    look({ headers }) {
      const [values = []] = SINGLE.map(name => headers[name.toLowerCase()]).filter(one => one !== undefined)
      return values[0] !== '1' ? 'stripped' : values.length === 2 ? 'both lines passed on' : 'the first line passed on'
    },
  },
  'Any other field, any number of times': {
    bytes: [plain('Set-Cookie: a=1', 'Set-Cookie: b=2', 'Vary: a', 'Vary: b', 'X-Any: 1', 'X-Any: 2')],
    look: ({ headers }) =>
      headers['set-cookie']?.join() === 'a=1,b=2' && headers['x-any']?.join(', ') === '1, 2' ? 'passed on' : 'changed',
  },
  'Bytes above ASCII in a value': {
    bytes: [plain('X-Any: caf\xe9'), plain('X-Any: \x80\xff')],
    look: ({ headers }) => (/^(caf\xe9|\x80\xff)$/.test(headers['x-any']![0]!) ? 'passed on' : 'changed'),
  },
  'A reason phrase that is not ASCII': {
    bytes: ['caf\xe9', 'Gr\xc3\xb6\xc3\x9fe', '\xe6\xbc\xa2'].map(reason => `${ok.replace('OK', reason)}\r\nok`),
    look: ({ reason }) => (reason === '' ? 'passed on without it' : 'changed'),
  },
  '`304` with `Content-Length`': {
    bytes: ['HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5000\r\n\r\n'],
    look: ({ status, headers }) => (status === 304 && headers['etag']![0] === '"a"' ? 'passed on' : String(status)),
  },
  '`204` with a length or a body': {
    bytes: ['', 'hello'].map(text => `HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n${text}`),
    look: body,
  },
  '`205` with a body': {
    bytes: ['HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello'],
    look: answer => (answer.body === 'hello' ? 'passed on' : body(answer)),
  },
  'A body of an answer to `HEAD`': { bytes: [plain()], method: 'HEAD', look: body },
  'Interim answers': {
    bytes: ['103 Early Hints', '199 Soon'].map(head => `HTTP/1.1 ${head}\r\nLink: a\r\n\r\n${plain()}`),
    look: answer => (answer.status === 200 ? gone('link')(answer) : String(answer.status)),
  },
  '`100` or `101` that nobody asked for': {
    bytes: [
      `HTTP/1.1 100 Go\r\n\r\n${plain()}`,
      'HTTP/1.1 101 Go\r\n\r\n',
      'HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      'HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  },
  'A status below 100': { bytes: ['000', '099', '042'].map(status => `${ok.replace('200', status)}\r\nok`) },
  'A status of 600 to 999': {
    bytes: ['600', '777', '999'].map(status => `${ok.replace('200', status)}\r\nok`),
    look: ({ status }) => (status >= 600 ? 'passed on' : String(status)),
  },
  'A status of more than three digits, or none': {
    bytes: ['1000', '20', 'abc', ''].map(status => `${ok.replace('200', status)}\r\nok`),
  },
  '`Connection`, the fields that it names, `Keep-Alive`, `Proxy-Connection`, `Upgrade`, `TE`': {
    bytes: [plain('Connection: keep-alive, X-Own', 'X-Own: 1', 'Proxy-Connection: x', 'Upgrade: h2c', 'TE: x')],
    look: gone('x-own', 'proxy-connection', 'upgrade', 'te'),
  },
  'A control character in a value': { bytes: ['\x01', '\x7f', '\0', 'a\rb'].map(text => plain(`X-Any: ${text}`)) },
  'A name that is none': { bytes: ['X Any', '', ':status', 'X\xe9', '"x"'].map(name => plain(`${name}: 1`)) },
  'A length and chunks, two lengths, or one that is no number': {
    bytes: [
      plain('Transfer-Encoding: chunked'),
      plain('Content-Length: 2'),
      plain('Content-Length: 3'),
      'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok',
      'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok',
    ],
  },
  'A head of more than 16 kB': { bytes: [plain(`X-Any: ${'y'.repeat(20_000)}`)] },
  'Bytes that are no HTTP': { bytes: ['SSH-2.0-OpenSSH_9.6\r\n', '\x16\x03\x01\x02\r\n\r\n', 'ICY 200 OK\r\n\r\n'] },
  'Nothing, or a part of a head': { bytes: ['', 'HTTP/1.1 200 OK\r\nContent-Le'] },
  'A body that ends before its length, or inside a chunk': {
    bytes: [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
    ],
  },
  'A body that is longer than its length': {
    bytes: [`${plain()}more`],
    look: answer => (answer.body === 'ok' ? 'passed on up to the length' : answer.body),
  },
  Trailers: {
    bytes: [chunked('X-Sum: 1')],
    look: ({ trailers }) => (trailers['x-sum'] === '1' ? 'passed on' : 'stripped'),
  },
  'Trailers that must not be any: codings, `Set-Cookie`, `Cache-Control`': {
    bytes: [chunked('Content-Encoding: x', 'Set-Cookie: a', 'Cache-Control: public', 'TE: x')],
    look: ({ trailers }) => (Object.keys(trailers).length === 0 ? 'stripped' : `passed on: ${Object.keys(trailers)}`),
  },
  '`Cache-Control: public, max-age=9` in a lane that depends on the caller': {
    bytes: [cacheable],
    gray: true,
    look: ({ headers }) => `becomes \`${headers['cache-control']}\``,
  },
  '`CDN-Cache-Control`, `Edge-Control`, `Surrogate-Control` and their like there': {
    bytes: [cacheable],
    gray: true,
    look: gone(...SHARED.map(name => name.toLowerCase())),
  },
  'All of these without a lane': {
    bytes: [cacheable],
    look: ({ headers }) =>
      headers['cache-control']![0] === 'public, max-age=9' &&
      SHARED.every(name => headers[name.toLowerCase()] !== undefined)
        ? 'passed on'
        : JSON.stringify(headers),
  },
}

const problem = (text: string): string | undefined => {
  const [, status, code] = /"status":(\d+).*"code":"(\w+)"/.exec(text) ?? []
  return status === undefined ? undefined : `${status} \`${code}\``
}

/** What HTTP/1.1 says, to the end of its connection; `undefined` for an answer that is not whole. */
function read(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const [, status, reason = ''] = /^HTTP\/1\.1 (\d+) (.*)$/.exec(first) ?? []
  if (end === -1 || status === undefined) return undefined
  const headers = fieldsOf(lines)
  const rest = text.slice(end + 4)
  if (headers['transfer-encoding']?.[0] !== 'chunked') {
    const length = headers['content-length']?.[0]
    const none = rest === '' && /^(204|304)$/.test(status)
    if (length !== undefined && !none && rest !== '' && Number(length) !== rest.length) return undefined
    return { status: Number(status), reason, headers, body: rest, trailers: {} }
  }
  const [, body, trailers] = /^2\r\n(ok)\r\n0\r\n(.*)\r\n$/s.exec(rest) ?? []
  if (body === undefined) return undefined
  const flat = Object.entries(fieldsOf(trailers!.split('\r\n').filter(line => line !== ''))).map(([name, [value]]) => [
    name,
    value,
  ])
  return { status: Number(status), reason, headers, body, trailers: Object.fromEntries(flat) }
}

function fieldsOf(lines: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers[name] = [...(headers[name] ?? []), line.slice(colon + 2)]
  }
  return headers
}

function readHttp2({ headers = {}, body, trailers }: Got): Answer {
  const fields = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value : [String(value)]])
  return { status: Number(headers[':status']), reason: '', headers: Object.fromEntries(fields), body, trailers }
}

t.test('what the client gets of an answer is what the README says', async t => {
  const { at, port } = await rawUpstream(t)
  const services = { 'sc-a': [{ host: '127.0.0.1', port }] }
  const routes = [{ service: 'sc-a' }]
  const rules = {
    version: 1 as const,
    rules: [{ name: 'r', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray' }],
  }
  const listeners = [{ host: '127.0.0.1' }, { host: '127.0.0.1', protocol: 'h2c' as const }]
  const { gateway } = await start(t, services, { routes, rules, listeners })
  const rows = readmeTable('| an upstream answers |')
  t.same(rows.map(([name]) => name).sort(), Object.keys(CASES).sort(), 'rows and cases')
  for (const [name, { bytes, method = 'GET', look = () => 'passed on', gray = false }] of Object.entries(CASES)) {
    const [, first, second] = rows.find(([one]) => one === name) ?? []
    const agent = gray ? 'xiaoming' : 'curl'
    const session = http2.connect(`http://127.0.0.1:${gateway.address(1).port}`)
    session.on('error', () => {})
    for (const [index, answer] of bytes.entries()) {
      at.bytes = Buffer.from(answer, 'latin1')
      const text = await rawRequest(
        gateway.address(0).port,
        `${method} / HTTP/1.1\r\nHost: a\r\nUser-Agent: ${agent}\r\nConnection: close\r\n\r\n`,
      )
      const whole = read(text)
      const outcome = problem(text) ?? (whole === undefined ? 'breaks off' : look(whole))
      t.equal(outcome, first, `HTTP/1.1: ${name}, ${index}`)
      const got = await ask(session, method, { 'user-agent': agent })
      const other = problem(got.body) ?? (got.code === 0 ? look(readHttp2(got)) : 'breaks off')
      t.equal(other, second, `HTTP/2: ${name}, ${index}`)
    }
    session.destroy()
  }
})
