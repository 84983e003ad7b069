/** A request head is at most 16 KiB, Node's limit (`--max-http-header-size`). */
const BYTES = 15_800
/** The gateway refuses more, and Node shows 1,000. */
const MOST_LINES = 700

/** The parts of a request that a client fills as it likes. */
interface Parts {
  readonly target?: string
  readonly host?: string
  readonly lines?: readonly string[]
}

function head({ target = '/orders/7', host = 'shop.example', lines = [] }: Parts): Buffer {
  return Buffer.from(
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`,
    'latin1',
  )
}

/** The unit again and again, as far as a request of 16 kB has room. */
function filled(make: (text: string) => Parts, unit: string): Buffer {
  return head(make(unit.repeat(Math.floor((BYTES - head(make('')).length) / unit.length))))
}

const header =
  (name: string) =>
  (text: string): Parts => ({ lines: [`${name}: ${text}`] })
const baggage = (unit: string): Buffer => filled(header('baggage'), unit)
const cookie = (unit: string): Buffer => filled(header('Cookie'), unit)
const query = (unit: string): Buffer => filled(text => ({ target: `/orders/7?${text}` }), unit)
const path = (unit: string): Buffer => filled(text => ({ target: text === '' ? '/' : text }), unit)

function lines(line: (index: number) => string): Buffer {
  const all: string[] = []
  let bytes = head({}).length
  for (let index = 0; index < MOST_LINES; index++) {
    const one = line(index)
    bytes += one.length + 2
    if (bytes > BYTES) break
    all.push(one)
  }
  return head({ lines: all })
}

/** What the others are held against: a browser's headers, with much of everything. */
function ordinary(): Buffer {
  const many = (count: number, one: (index: number) => string, between: string): string =>
    Array.from({ length: count }, (_, index) => one(index)).join(between)
  const value = 'k3J9xQ-7fZ_b2LmN8pRtVw0c'
  const parts: Parts = {
    target: `/orders/7?${many(60, index => `filter${index}=${value}`, '&')}`,
    lines: [
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
      'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
      'Accept-Encoding: gzip, deflate, br',
      'Cache-Control: no-cache',
      'Referer: https://shop.example/orders',
      'X-Forwarded-For: 203.0.113.9, 198.51.100.7',
      'X-Forwarded-Proto: https',
      'X-Request-Id: 4bf92f3577b34da6a3ce929d0e0e4736',
      'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      `baggage: ${many(90, index => `member${index}=${value}`, ',')}`,
      `Cookie: ${many(110, index => `cookie${index}=${value}`, '; ')}`,
    ],
  }
  const rest = BYTES - head(parts).length - 'Authorization: Bearer \r\n'.length
  return head({ ...parts, lines: [...parts.lines!, `Authorization: Bearer ${'x'.repeat(Math.max(1, rest))}`] })
}

export const ORDINARY = ordinary()

/** Requests of the same size, made to cost. The first word of a name is its group. */
export const HOSTILE: Readonly<Record<string, Buffer>> = {
  'baggage %,%,': baggage('%,'),
  'baggage +,+,': baggage('+,'),
  'baggage ,,,': baggage(','),
  'baggage %%%': baggage('%'),
  'baggage of bad escapes': baggage('%zz%C3=%E0%A4,'),
  'baggage nearly ours': baggage('x-mse-tah=gray,'),
  'baggage nearly ours, escaped': baggage('%78-mse-ta%68=1,'),
  "baggage nearly MSE's": baggage('__microservice_tag=1,'),
  'baggage ours': baggage('x-mse-tag=gray,'),
  'baggage ours and others': baggage('x-mse-tag=a,b=1,'),
  'baggage ours, escaped': baggage('+%78-mse-tag=1,'),
  'baggage ours, escaped deeply': baggage('%25252578-mse-tag=1,'),
  'baggage of escaped white space': baggage('%C2%A0%E2%80%83'),
  'baggage of escaped commas': baggage('x-mse-ta%2C'),
  'baggage of semicolons': baggage('a;=;'),
  "baggage with MSE's member, many entries": filled(
    text => ({ lines: [`baggage: __microservice_tag__=[${text}{"tag":"a"}]`] }),
    '{"tag":"a"},',
  ),
  'query ?%&%&': query('%&'),
  'query ?a&a&': query('a&'),
  'query ?&&&': query('&'),
  'query ?+=+&': query('+=+&'),
  'query of escapes': query('%62%65%74%61=%30&'),
  'query of bad escapes': query('%C3%=%E0%A4&'),
  'query of the rule': query('beta=0&'),
  'cookie a;a;': cookie('a;'),
  'cookie ;;;': cookie(';'),
  'cookie %=%;': cookie('%=%;'),
  'cookie of the rule': cookie('beta=0; '),
  'cookie of quotes': cookie('beta="%";'),
  'path /%2e/%2e': path('/%2e'),
  'path /%/%': path('/%'),
  'path /a/a': path('/a'),
  'path ///': path('/'),
  'path of escapes': path('/%E4%B8%8A'),
  'path of bad escapes': path('/%C3%28'),
  'lines of many names': lines(index => `x-${index}: ${index}`),
  'lines of one name': lines(() => 'x-a: 1'),
  'lines of the header': lines(() => 'x-mse-tag: gray'),
  'lines of its alias': lines(() => 'x_mse_tag: gray'),
  'lines of baggage': lines(() => 'baggage: %,a=1'),
  'lines of our baggage': lines(() => 'baggage: +x-mse-tag=1'),
  'lines of our baggage, each another': lines(index => `baggage: +x-mse-tag=${index}`),
  'lines of cookies': lines(() => 'cookie: beta=0'),
  'lines of forwarding': lines(() => 'x-forwarded-for: 1'),
  'values a,a,': filled(header('x-mse-tag'), 'a,'),
  'values of one long text': filled(header('x-mse-tag'), 'a'),
  'values of the rule': filled(header('x-user'), '%ab'),
  'values of Connection': filled(header('Connection'), 'a,'),
  'values of X-Forwarded-For': filled(header('X-Forwarded-For'), '1,'),
  'values of Forwarded': filled(header('Forwarded'), 'for=1,'),
  'values of Accept-Encoding': filled(header('Accept-Encoding'), 'a,'),
  'values of Host': filled(text => ({ host: `${text}example.com` }), 'a.'),
}
