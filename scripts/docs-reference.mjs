// Writes docs/reference/options.md, events.md, errors.md and metrics.md from the sources: every interface of options that a
// package exports, with its fields, types, defaults and comments. `--check` changes nothing and fails when they differ.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const PRIVATE = ['testkit']
const MADE = '<!-- Made by scripts/docs-reference.mjs from the sources. -->'

const packages = readdirSync(join(root, 'packages'))
  .filter(name => !PRIVATE.includes(name))
  .map(read)
  .filter(Boolean)
const interfaces = new Map()
for (const { name, shapes } of packages)
  for (const [title, shape] of shapes) interfaces.set(title, { ...shape, package: name })

/** Interfaces of a package, and which names its entry exports. */
function read(name) {
  const folder = join(root, 'packages', name, 'src')
  const shapes = new Map()
  let files
  try {
    files = readdirSync(folder, { recursive: true }).filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  } catch {
    return undefined
  }
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true)
    for (const node of source.statements) {
      if (ts.isInterfaceDeclaration(node)) shapes.set(node.name.text, shapeOf(node, node.members, source))
      if (ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type))
        shapes.set(node.name.text, shapeOf(node, node.type.members, source))
    }
  }
  return { name, shapes, exported: exportedOf(folder) }
}

function exportedOf(folder) {
  const source = ts.createSourceFile('index.ts', readFileSync(join(folder, 'index.ts'), 'utf8'), ts.ScriptTarget.Latest)
  const names = source.statements.flatMap(node =>
    ts.isExportDeclaration(node) && node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
      ? node.exportClause.elements.map(element => element.name.text)
      : [],
  )
  return new Set(names)
}

function shapeOf(node, members, source) {
  const clauses = node.heritageClauses ?? []
  return {
    about: commentOf(node).text,
    bases: clauses.flatMap(clause => clause.types.map(type => type.getText(source))),
    fields: members.filter(member => member.name !== undefined).map(member => field(member, source)),
  }
}

function field(member, source) {
  const { text, defaultValue } = commentOf(member)
  const type = ts.isMethodSignature(member)
    ? `(${member.parameters.map(one => one.getText(source)).join(', ')}) => ${member.type?.getText(source) ?? 'void'}`
    : (member.type?.getText(source) ?? 'unknown')
  return { name: member.name.getText(source), optional: member.questionToken !== undefined, type, text, defaultValue }
}

function commentOf(node) {
  const docs = node.jsDoc?.at(-1)
  const tag = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === 'default')
  return { text: plain(docs?.comment), defaultValue: tag === undefined ? undefined : plain(tag.comment) }
}

function plain(comment) {
  const text =
    typeof comment === 'string'
      ? comment
      : (comment ?? []).map(part => part.text || part.name?.getText() || '').join('')
  return text
    .replaceAll(/\{@link ([^}|]+)[^}]*\}/g, '`$1`')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

/** Text in a cell of a table: `<`, `|` and braces mean something else there. */
function cell(text) {
  const escaped = text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 ? part : part.replaceAll('<', '&lt;').replaceAll('{{', '{ {')))
  return escaped.join('').replaceAll('|', '\\|')
}

const code = text => `\`${text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')}\``

function table({ fields, bases }, firstColumn) {
  const own = fields.map(({ name, optional, type, text, defaultValue }) => {
    const fallback = firstColumn === 'field' ? undefined : (defaultValue ?? (optional ? 'none' : '**required**'))
    return `| \`${name}\` | ${code(shorten(type))} |${fallback === undefined ? '' : ` ${cell(fallback)} |`} ${cell(text)} |`
  })
  const head =
    firstColumn === 'field'
      ? '| field | type | meaning |\n|---|---|---|'
      : '| option | type | default | meaning |\n|---|---|---|---|'
  const inherited = bases.map(base => {
    const name = /^(?:Omit<|Pick<|Partial<)?(\w+)/.exec(base)[1]
    const left = /^Omit<[^,]+(?:<[^>]*>)?, (.*)>$/.exec(base)?.[1]
    const place = interfaces.has(name) ? `[\`${name}\`](#${name.toLowerCase()})` : `\`${name}\``
    return `And those of ${place}${left === undefined ? '' : `, without ${left.replaceAll("'", '`')}`}.`
  })
  return [...(own.length > 0 ? [[head, ...own].join('\n')] : []), ...inherited].join('\n\n')
}

function shorten(type) {
  return type.replaceAll(/\/\*[\s\S]*?\*\//g, '').length > 110
    ? `${type.replaceAll(/\s+/g, ' ').slice(0, 100)} …`
    : type
}

function options() {
  const listed = new Set()
  const sections = packages.map(({ name, shapes, exported }) => {
    const titles = [...shapes.keys()].filter(title => exported.has(title) && /Options$/.test(title)).sort()
    const bases = titles.flatMap(title => basesOf(title))
    const own = titles.map(title => section(title, listed))
    const wanted = bases.filter(base => !listed.has(base) && shapes.has(base) && !titles.includes(base))
    const more = wanted.map(base => section(base, listed))
    const all = [...own, ...more].filter(text => text !== '')
    return all.length === 0 ? '' : `## ${packageTitle(name)}\n\n${all.join('\n\n')}`
  })
  return `# Options

Every option of every public function, made from the types. The settings of \`@laneway/register\` are in [Environment](../../packages/register/SETTINGS.md).
Unknown names and wrong values throw \`LANEWAY_INVALID_OPTION\` when the object is made.

${sections.filter(text => text !== '').join('\n\n')}
`
}

function basesOf(title) {
  const shape = interfaces.get(title)
  const names = (shape?.bases ?? []).map(base => /^(?:Omit<|Pick<|Partial<)?(\w+)/.exec(base)[1])
  return names.filter(name => interfaces.has(name)).flatMap(name => [name, ...basesOf(name)])
}

function section(title, listed) {
  const shape = interfaces.get(title)
  if (listed.has(title) || shape === undefined || (shape.fields.length === 0 && shape.bases.length === 0)) return ''
  listed.add(title)
  return [`### ${title}`, cell(shape.about), table(shape, 'option')].filter(text => text !== '').join('\n\n')
}

const packageTitle = name => (name === 'laneway' ? 'laneway' : `@laneway/${name}`)

const EVENTS = [
  ['IngressEvent', '`laneway:ingress`: once for each request that arrives'],
  ['DecisionEvent', '`laneway:decision`: once for each choice of an instance'],
  ['EgressEvent', '`laneway:egress`: once for each call in a lane or to a service'],
  ['SourceEvent', '`laneway:source`: when something happens to a registry'],
  ['ControlEvent', '`laneway:control`: when a control document comes'],
  ['MessageEvent', '`laneway:message`: once for each message that a consumer takes'],
  ['CallInfo', 'One outgoing call, in the field `call`'],
]

function events() {
  const sections = EVENTS.filter(([title]) => interfaces.has(title)).map(
    ([title, about]) => `## ${title}\n\n${about}.\n\n${table(interfaces.get(title), 'field')}`,
  )
  return `# Events

Laneway reports what it decides on channels of \`node:diagnostics_channel\`. An event is made only while a channel has a subscriber.

\`watch.mjs\`:

\`\`\`js
import { subscribe } from 'node:diagnostics_channel'
import { parseLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'

subscribe('laneway:decision', ({ service, lane, outcome, address }) => {
  console.log(service, lane?.header, outcome, address)
})

const source = createStaticSource({ 'sc-b': [{ host: '10.0.0.1', port: 80 }, { host: '10.0.0.2', port: 80, tags: ['gray'] }] })
const resolver = createLaneResolver({ sources: [source], services: ['sc-b'] })
await resolver.ready('sc-b')
for (const lane of ['gray', 'blue']) resolver.pick('sc-b', parseLane(lane))
await resolver.close()
\`\`\`

\`\`\`console
$ node watch.mjs
sc-b gray lane 10.0.0.2:80
sc-b blue fallback-missing 10.0.0.1:80
\`\`\`

\`logLanes()\` of [\`@laneway/core\`](../../packages/core/README.md#a-log) prints the same as text, and [\`@laneway/otel\`](metrics.md) counts them.

${sections.join('\n\n')}
`
}

async function errors() {
  const text = readFileSync(join(root, 'packages/core/src/errors.ts'), 'utf8')
  const rows = [...text.matchAll(/^ {2}(LANEWAY_\w+): '((?:[^'\\]|\\.)*)',$/gm)].map(
    ([, name, sentence]) => `| \`${name}\` | ${cell(sentence)} |`,
  )
  return `# Error codes

There is one error class, \`LanewayError\`. Compare \`error.code\`; messages may change. A request never makes Laneway throw: errors of calls arrive where the client reports errors,
in \`fetch\` as \`cause\` of a \`TypeError\`, in gRPC as metadata \`laneway-code\`.

| code | meaning |
|---|---|
${rows.join('\n')}

[Troubleshooting](../troubleshooting.md) has whole messages, and what to do. The gateway answers clients with [codes of its own](../../packages/gateway/README.md#what-happens-to-a-request).
`
}

function metrics() {
  const readme = readFileSync(join(root, 'packages/otel/README.md'), 'utf8')
  const body = /^## Metrics\n([\s\S]*?)^## /m.exec(readme)[1].trim()
  return `# Metrics

\`startLaneMetrics()\` of [\`@laneway/otel\`](../../packages/otel) reports these to OpenTelemetry. [Guide](../guides/opentelemetry.md).

${body.replaceAll('](../', '](../../packages/')}
`
}

const check = process.argv.includes('--check')
for (const [name, make] of Object.entries({ options, events, errors, metrics })) {
  const file = join(root, 'docs/reference', `${name}.md`)
  const text = (await make()).replace('\n', `\n\n${MADE}\n`)
  if (!check) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} differs from the sources: run npm run docs:write`)
    process.exitCode = 1
  }
}
