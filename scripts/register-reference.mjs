// Writes what is made from the settings of @laneway/register: the table in SETTINGS.md and the schema for editors.
// `--check` changes nothing and fails when they differ. Run it with `--import tsx --conditions=@laneway/source`.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../packages/register/', import.meta.url))
const { FIELDS } = await import(`${folder}src/config/fields.ts`)
const { PARTS } = await import(`${folder}src/config/config.ts`)

const KINDS = {
  text: 'text',
  secret: 'text',
  integer: 'number',
  list: 'list',
  map: '`key=value` pairs',
  flag: '`1` or `0`',
  'flag-or-mse': '`1`, `0` or `mse`',
  json: 'JSON',
}

function settings() {
  const rows = Object.entries(FIELDS).map(([key, field]) => {
    const { variable, kind, meaning, fallback } = field
    const values = typeof kind === 'string' ? KINDS[kind] : kind.map(one => `\`${one}\``).join(', ')
    return `| \`${variable}\` | \`${key}\` | ${values} | ${meaning} | ${fallback} |`
  })
  return `# Settings of @laneway/register

The environment comes first, then \`laneway.config.json\`, \`.js\`, \`.mjs\` or \`.cjs\` in the working directory, with the names of the
second column. In a variable, lists and pairs are separated by commas. A wrong value, an unknown name and an unknown variable
that begins with \`LANEWAY_\` stop the start, with the name that was probably meant.

For an editor: \`{ "$schema": "./node_modules/@laneway/register/laneway.config.schema.json" }\`.

| variable | in the file | value | meaning | default |
|---|---|---|---|---|
${rows.join('\n')}

\`LANEWAY_DISABLE\` takes ${PARTS.map(part => `\`${part}\``).join(', ')}, and \`all\`.
`
}

function schema() {
  const properties = Object.fromEntries(Object.entries(FIELDS).map(([key, field]) => [key, property(key, field)]))
  return `${JSON.stringify(
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'laneway.config.json',
      description: 'Settings of @laneway/register',
      type: 'object',
      additionalProperties: false,
      properties: { $schema: { type: 'string' }, ...properties },
    },
    undefined,
    2,
  )}\n`
}

function property(key, { kind, meaning, fallback, variable, least, most }) {
  const description = `${meaning}. Default: ${fallback}. Variable: ${variable}.`
  const texts = { type: 'array', items: key === 'disable' ? { enum: [...PARTS, 'all'] } : { type: 'string' } }
  const types = {
    text: { type: 'string' },
    secret: { type: 'string' },
    integer: { type: 'integer', minimum: least, maximum: most },
    list: key === 'disable' ? texts : { anyOf: [texts, { type: 'string' }] },
    map: { type: 'object', additionalProperties: { type: 'string' } },
    flag: { type: 'boolean' },
    'flag-or-mse': { enum: [true, false, 'mse'] },
    json: { type: 'array', items: { type: 'object' } },
  }
  return { description, ...(typeof kind === 'string' ? types[kind] : { enum: kind }) }
}

const check = process.argv.includes('--check')
for (const [name, text] of [
  ['SETTINGS.md', settings()],
  ['laneway.config.schema.json', schema()],
]) {
  const file = `${folder}${name}`
  if (!check) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} differs from packages/register/src/config/fields.ts: run npm run settings`)
    process.exitCode = 1
  }
}
