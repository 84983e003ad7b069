// `npm run api`: writes packages/*/API.md, the public surface of each package, so that a review sees what changes in it.
// `--check` fails where a report is another one, and says how.
//
// It reads the built declarations: what is exported by the entries of a package, besides `/internal`, and what of the same
// package that names.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { packages } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const check = process.argv.includes('--check')
const printer = ts.createPrinter({ removeComments: true })

const reports = [...packages().keys()].map(name => {
  const folder = `${root}packages/${name}`
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  const entries = Object.entries(manifest.tshy.exports)
    .filter(([door, source]) => door !== './internal' && source.endsWith('.ts'))
    .map(([door, source]) => ({
      door: door.replace('.', manifest.name),
      file: `${folder}/${source.replace('./src/', 'dist/commonjs/').replace(/\.ts$/, '.d.ts')}`,
    }))
  return { folder, entries, file: `${folder}/API.md`, name: manifest.name }
})
const program = ts.createProgram(
  reports.flatMap(({ entries }) => entries.map(({ file }) => file)),
  { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, skipLibCheck: true, types: ['node'] },
)
const checker = program.getTypeChecker()

let changed = 0
for (const report of reports) {
  const text = reportOf(report)
  const before = existsSync(report.file) ? readFileSync(report.file, 'utf8') : ''
  if (text === before) continue
  changed++
  if (check) console.log(`${relative(root, report.file)} is not as the package is:\n${difference(before, text)}`)
  else {
    writeFileSync(report.file, text)
    console.log(`wrote ${relative(root, report.file)}`)
  }
}
if (check && changed > 0) {
  console.log('If the change is meant, run npm run api and commit the reports.')
  process.exitCode = 1
}

function reportOf({ folder, entries, name }) {
  const exported = new Set()
  const parts = entries.map(({ door, file }) => {
    const source = program.getSourceFile(file)
    if (source === undefined) throw new Error(`${relative(root, file)} is not there: run npm run api`)
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(source))
    const texts = symbols
      .map(symbol => ({ name: symbol.name, own: originOf(symbol) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, own }) => {
        exported.add(own)
        return isIn(folder, own) ? textOf(own, name) : `export { ${name} } // of another package`
      })
    return `## ${door}\n\n${block(texts)}`
  })
  const inner = new Set()
  for (const symbol of exported) if (isIn(folder, symbol)) collect(symbol, folder, exported, inner)
  const rest = [...inner].sort((a, b) => (a.name < b.name ? -1 : 1)).map(symbol => textOf(symbol, symbol.name))
  if (rest.length > 0) parts.push(`## Not exported, but named above\n\n${block(rest)}`)
  return `# The public surface of ${name}\n\nWritten by \`npm run api\`.\n\n${parts.join('\n')}`
}

function originOf(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

function isIn(folder, symbol) {
  return symbol.declarations?.some(node => node.getSourceFile().fileName.startsWith(`${folder}/`)) === true
}

/** Adds what the declarations of a symbol name, and what these name in turn. */
function collect(symbol, folder, exported, inner) {
  const visit = node => {
    if (ts.isIdentifier(node)) {
      const found = checker.getSymbolAtLocation(node)
      const own = found && originOf(found)
      if (own && !exported.has(own) && !inner.has(own) && isIn(folder, own) && own.declarations.some(isTopLevel)) {
        inner.add(own)
        collect(own, folder, exported, inner)
      }
    }
    ts.forEachChild(node, visit)
  }
  for (const declaration of symbol.declarations) visit(declaration)
}

function isTopLevel(node) {
  return ts.isSourceFile(statementOf(node).parent)
}

function statementOf(node) {
  return ts.isVariableDeclaration(node) ? node.parent.parent : node
}

function textOf(symbol, name) {
  const texts = symbol.declarations.map(node => {
    const text = printer.printNode(ts.EmitHint.Unspecified, statementOf(node), node.getSourceFile())
    return text.replace(/^(export )?(declare )?(default )?/, '')
  })
  const alias = symbol.name === name ? '' : `// as ${name}\n`
  return alias + [...new Set(texts)].join('\n')
}

function block(texts) {
  return `\`\`\`ts no-run\n${texts.join('\n\n')}\n\`\`\`\n`
}

/** The lines that one text has and the other lacks. */
function difference(before, after) {
  const [old, now] = [before, after].map(text => text.split('\n'))
  const removed = old.filter(line => !now.includes(line)).map(line => `- ${line}`)
  const added = now.filter(line => !old.includes(line)).map(line => `+ ${line}`)
  return [...removed, ...added].slice(0, 40).join('\n')
}
