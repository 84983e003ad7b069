import type { LaneFormat, LaneProblem } from '@laneway/core'

/** What one request carries, and the one thing that every ingress must make of it. */
export interface HeaderCase {
  readonly name: string
  /** The lines of `x-mse-tag`, in their order. */
  readonly lines: readonly string[]
  readonly baggage?: string
  /** The lane the request runs in, as it goes on the wire. */
  readonly lane: string | undefined
  readonly source: LaneFormat | undefined
  readonly problem: LaneProblem | undefined
  /** Another carrier names another lane. @default false */
  readonly contradicted?: boolean
}

const TAG_63 = `a${'b'.repeat(61)}c`
const LIST_255 = ['1', '2', '3', '4'].map(digit => digit.repeat(63)).join(',')
const MSE = (list: unknown) => `__microservice_tag__=${encodeURIComponent(JSON.stringify(list))}`

/**
 * Headers as peers, proxies and attackers send them. Every row is a request that Node serves when its parser is lenient
 * (`insecureHTTPParser`): the strict one answers some of them before any ingress could.
 */
export const headerCases: readonly HeaderCase[] = [
  { name: 'no header', lines: [], ...none() },
  { name: 'a tag', lines: ['gray'], ...lane('gray') },
  { name: 'a tag of one character', lines: ['g'], ...lane('g') },
  { name: 'a tag with every kind of character', lines: ['Gray_2.0-rc'], ...lane('Gray_2.0-rc') },
  { name: 'upper case, which is another tag', lines: ['GRAY'], ...lane('GRAY') },
  { name: 'a tag of 63 characters', lines: [TAG_63], ...lane(TAG_63) },
  { name: 'a tag of 64 characters', lines: [`${TAG_63}d`], ...invalid() },
  { name: 'explicitly base', lines: ['base'], ...lane('base') },
  { name: 'an empty value', lines: [''], ...invalid() },
  { name: 'spaces only', lines: ['   '], ...invalid() },
  { name: 'spaces around', lines: ['  gray  '], ...lane('gray') },
  { name: 'tabs around', lines: ['\tgray\t'], ...lane('gray') },
  { name: 'a space inside', lines: ['gr ay'], ...invalid() },
  { name: 'a tab inside', lines: ['gr\tay'], ...invalid() },
  { name: 'a folded line (CR LF space)', lines: ['gray\r\n blue'], ...invalid() },
  { name: 'NUL at the end', lines: ['gray\0'], ...invalid() },
  { name: 'NUL inside', lines: ['gr\0ay'], ...invalid() },
  { name: 'a control character', lines: ['gr\x01ay'], ...invalid() },
  { name: 'UTF-8', lines: ['gräy'], ...invalid() },
  { name: 'UTF-8 beyond the basic plane', lines: ['🦓'], ...invalid() },
  { name: 'percent-encoded', lines: ['%67ray'], ...invalid() },
  { name: 'quoted', lines: ['"gray"'], ...invalid() },
  { name: 'a parameter', lines: ['gray;q=1'], ...invalid() },
  { name: 'a slash', lines: ['gray/2'], ...invalid() },
  { name: 'a hyphen at the start', lines: ['-gray'], ...invalid() },
  { name: 'a dot at the end', lines: ['gray.'], ...invalid() },
  { name: '10 kB', lines: ['a'.repeat(10_000)], ...invalid() },
  { name: '10 kB of commas', lines: [','.repeat(10_000)], ...invalid() },
  { name: '__proto__', lines: ['__proto__'], ...invalid() },
  { name: 'constructor, which is a tag like any other', lines: ['constructor'], ...lane('constructor') },
  { name: 'a list', lines: ['gray-2,gray'], ...lane('gray-2,gray') },
  { name: 'a list with spaces and tabs', lines: ['gray-2 ,\t gray'], ...lane('gray-2,gray') },
  { name: 'a list of four', lines: ['a,b,c,d'], ...lane('a,b,c,d') },
  { name: 'a list of five', lines: ['a,b,c,d,e'], ...invalid() },
  { name: 'a list of 255 bytes', lines: [LIST_255], ...lane(LIST_255) },
  { name: 'a list of 256 bytes', lines: [LIST_255.replace(',', ', ')], ...invalid() },
  { name: 'a list with one bad member', lines: ['gray,-bad,blue'], ...invalid() },
  { name: 'a list with __proto__', lines: ['gray,__proto__'], ...invalid() },
  { name: 'a list with an empty member', lines: ['gray,,blue'], ...invalid() },
  { name: 'a comma at the end', lines: ['gray,'], ...invalid() },
  { name: 'a list that says a tag twice', lines: ['gray,blue,gray'], ...lane('gray,blue') },
  { name: 'two equal lines', lines: ['gray', 'gray'], ...lane('gray') },
  { name: 'three equal lists', lines: ['a,b', 'a,b', 'a,b'], ...lane('a,b') },
  { name: 'two lines that differ', lines: ['gray', 'blue'], ...conflict() },
  { name: 'two lines that differ in case', lines: ['gray', 'Gray'], ...conflict() },
  { name: 'three lines, the middle one differs', lines: ['gray', 'blue', 'gray'], ...conflict() },
  { name: 'a line and an empty one', lines: ['gray', ''], ...conflict() },
  { name: 'two equal lines that are no tag', lines: ['-', '-'], ...invalid() },
  {
    name: "MSE's baggage member",
    lines: [],
    baggage: `a=1,${MSE([{ name: 'gray', tag: 'gray', priority: -1 }])},b=2`,
    ...lane('gray', 'mse-baggage'),
  },
  {
    name: "MSE's baggage member with priorities",
    lines: [],
    baggage: MSE([
      { tag: 'low', priority: -1 },
      { tag: 'high', priority: 9 },
      { tag: 'middle', priority: 3 },
    ]),
    ...lane('high,middle,low', 'mse-baggage'),
  },
  { name: "MSE's baggage member, not JSON", lines: [], baggage: '__microservice_tag__=gray', ...invalid() },
  {
    name: "MSE's baggage member, one bad entry",
    lines: [],
    baggage: MSE([{ tag: 'gray' }, { tag: '-' }]),
    ...invalid(),
  },
  {
    name: "MSE's baggage member beside a header, which decides",
    lines: ['blue'],
    baggage: MSE([{ tag: 'gray' }]),
    ...lane('blue'),
    contradicted: true,
  },
  {
    name: "MSE's baggage member beside a header that is no lane, which decides too",
    lines: ['-'],
    baggage: MSE([{ tag: 'gray' }]),
    ...invalid(),
    contradicted: true,
  },
  { name: 'the W3C member', lines: [], baggage: 'a=1,x-mse-tag=gray;p=1,b=2', ...lane('gray', 'baggage') },
  { name: 'the W3C member, no lane', lines: [], baggage: 'x-mse-tag=-', ...invalid() },
  {
    name: 'the W3C member beside a header, which decides',
    lines: ['blue'],
    baggage: 'x-mse-tag=gray',
    ...lane('blue'),
    contradicted: true,
  },
  { name: 'foreign baggage that mentions the name', lines: [], baggage: 'a=x-mse-tag,b=2', ...none() },
]

function lane(header: string, source: LaneFormat = 'header') {
  return { lane: header, source, problem: undefined }
}

function none() {
  return { lane: undefined, source: undefined, problem: undefined }
}

function invalid() {
  return { lane: undefined, source: undefined, problem: 'invalid' as const }
}

function conflict() {
  return { lane: undefined, source: undefined, problem: 'conflict' as const }
}
