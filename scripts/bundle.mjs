// Puts the modules of a package into one file per entry and dialect: Node reads and links each module by itself,
// about 0.5 ms a file, so that importing @laneway/nacos would take twice the time.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

const DIALECTS = { esm: 'esm', commonjs: 'cjs' }

/**
 * The packages that are part of the main file of another. The preload is read at every start, and one file takes 10 ms less
 * than seven (benchmark case register/start). What a process has once is on global symbols, so copies work together.
 */
const INSIDE = { register: ['core', 'http', 'undici'] }

/** The folders of the packages whose sources are in the files of this one. @param folder - of a package */
export function foldersInside(folder) {
  return (INSIDE[basename(folder)] ?? []).map(name => join(folder, '..', name))
}

/** @param folder - of a package */
export async function bundle(folder) {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  const { exports } = manifest.tshy
  const sources = Object.values(exports).filter(file => file.endsWith('.ts'))
  const commands = Object.values(manifest.bin ?? {}).map(file =>
    file.replace('./dist/esm/', './src/').replace(/\.js$/, '.ts'),
  )
  // What a package has once per process must not be in two files. esbuild shares code between ESM files only.
  const shared = exports['./internal'] === undefined ? [] : [exports['.'], exports['./internal']]
  const inside = foldersInside(folder)
  const whole = inside.length > 0 ? { entryPoints: [exports['.']], plugins: [putInside(inside)] } : undefined
  const entries = [...sources, ...commands].filter(file => !whole?.entryPoints.includes(file))
  const [esm, ...rest] = await Promise.all([
    run(folder, 'esm', { entryPoints: entries, splitting: true, chunkNames: 'shared-[hash]' }),
    run(folder, 'commonjs', { entryPoints: entries.filter(file => !shared.includes(file)) }),
    ...(whole === undefined ? [] : Object.keys(DIALECTS).map(dialect => run(folder, dialect, whole))),
  ])
  const files = [esm, ...rest].flatMap(({ outputFiles }) => outputFiles)
  if (shared.length > 0) {
    const contents = shared.map((file, index) => partOf(file, `entry${index}`, exportsOf(file, esm.metafile))).join('')
    const stdin = { contents, resolveDir: folder, sourcefile: 'shared.ts' }
    const { outputFiles } = await run(folder, 'commonjs', { stdin, entryNames: 'shared' })
    files.push(
      ...outputFiles,
      ...shared.map((file, index) => commonjsEntry(folder, file, index, exportsOf(file, esm.metafile))),
    )
  }
  for (const dialect of Object.keys(DIALECTS)) {
    mkdirSync(`${folder}/dist/${dialect}`, { recursive: true })
    const type = dialect === 'esm' ? 'module' : 'commonjs'
    const { sideEffects } = manifest
    writeFileSync(`${folder}/dist/${dialect}/package.json`, JSON.stringify({ type, sideEffects }, null, 2))
    for (const file of readdirSync(`${folder}/dist/${dialect}`, { recursive: true })) {
      if (/\.js(\.map)?$/.test(file)) rmSync(`${folder}/dist/${dialect}/${file}`)
    }
  }
  for (const { path, contents } of files) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
  }
  declareOnce(folder, sources)
  if (existsSync(`${folder}/page`)) await bundlePage(folder)
}

/** The page of a package, for browsers: one script with its libraries, whose licences go with it. */
async function bundlePage(folder) {
  const outdir = `${folder}/dist/page`
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: { page: 'page/main.tsx' },
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    metafile: true,
  })
  await build({ absWorkingDir: folder, entryPoints: { page: 'page/page.css' }, outdir, bundle: true, minify: true })
  for (const file of ['index.html', 'icon.svg']) copyFileSync(`${folder}/page/${file}`, `${outdir}/${file}`)
  const names = Object.keys(metafile.inputs).flatMap(file => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [])
  for (const name of new Set(names)) {
    const place = dirname(createRequire(`${folder}/package.json`).resolve(`${name}/package.json`))
    copyFileSync(join(place, 'LICENSE'), `${outdir}/LICENSE-${name.replace('/', '-')}`)
  }
}

/**
 * The declarations of both dialects are the same text, so those of ESM entries point to those of CommonJS, if there are
 * any yet. An ES module may import the types of a CommonJS one; the other way TypeScript refuses. A class then also has
 * one type, whether a program imports or requires it.
 */
function declareOnce(folder, sources) {
  const esm = `${folder}/dist/esm`
  for (const file of readdirSync(esm, { recursive: true })) {
    if (/\.d\.ts(\.map)?$/.test(file)) rmSync(`${esm}/${file}`)
  }
  for (const source of sources) {
    const file = source.replace('./src/', '').replace(/\.ts$/, '.d.ts')
    if (!existsSync(`${folder}/dist/commonjs/${file}`)) continue
    const path = relative(dirname(`${esm}/${file}`), `${folder}/dist/commonjs/${file}`).replaceAll('\\', '/')
    const target = `'${path.replace(/\.d\.ts$/, '.js')}'`
    const main = defaultOf(folder, source)
    const rest = main === undefined ? '' : `export { ${main} as default } from ${target}\n`
    mkdirSync(dirname(`${esm}/${file}`), { recursive: true })
    writeFileSync(`${esm}/${file}`, `export * from ${target}\n${rest}`)
  }
}

/** The name that the default export of an entry also has. The default of a CommonJS module would be all that it exports. */
function defaultOf(folder, entry) {
  const from = /^export \{ default\b.*'(.+)\.js'$/m.exec(readFileSync(`${folder}/${entry}`, 'utf8'))?.[1]
  if (from === undefined) return undefined
  const source = readFileSync(`${folder}/${dirname(entry)}/${from}.ts`, 'utf8')
  return /^export default (\w+)$/m.exec(source)[1]
}

/** Has esbuild read the sources of siblings, which are external to every other package. */
function putInside(folders) {
  const names = folders.map(folder => basename(folder)).join('|')
  return {
    name: 'put-inside',
    setup({ onResolve }) {
      onResolve({ filter: new RegExp(`^@laneway/(${names})(/|$)`) }, ({ path }) => {
        const [, name, ...door] = path.split('/')
        const folder = folders.find(one => basename(one) === name)
        const { exports } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')).tshy
        return { path: join(folder, exports[['.', ...door].join('/')]), sideEffects: false }
      })
    },
  }
}

function run(folder, dialect, options) {
  const format = DIALECTS[dialect]
  return build({
    absWorkingDir: folder,
    outdir: `dist/${dialect}`,
    outbase: 'src',
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format,
    sourcemap: 'linked',
    // The sources are in the package already, in `src`.
    sourcesContent: false,
    // The file itself, for what a package loads only when it is needed: the two formats name it differently.
    define: { LANEWAY_FILE: format === 'esm' ? 'import.meta.url' : '__filename' },
    metafile: true,
    write: false,
    ...options,
  })
}

/** The names that an entry exports. */
function exportsOf(file, { outputs }) {
  return outputs[file.replace('./src/', 'dist/esm/').replace(/\.ts$/, '.js')].exports
}

/**
 * What the shared file has for an entry: a plain object. For a namespace esbuild makes a getter of each name, which V8 compiles
 * one by one: 4 ms of a start that requires four packages (benchmark case register/start).
 */
function partOf(file, part, names) {
  const imports = names.map(name => `${name} as ${part}_${name}`).join(', ')
  const properties = names.map(name => `${name}: ${part}_${name}`).join(', ')
  return `import { ${imports} } from '${file}'\nexport const ${part} = { ${properties} }\n`
}

/** An entry that hands on its part of the shared file. Node finds the names for `import` in the statement that never runs. */
function commonjsEntry(folder, file, index, names) {
  const path = `${folder}/${file.replace('./src/', 'dist/commonjs/').replace(/\.ts$/, '.js')}`
  const shared = `./${relative(dirname(path), `${folder}/dist/commonjs/shared.js`)}`
  const contents = `'use strict'
const shared = require('${shared}')
module.exports = Object.defineProperty(shared.entry${index}, '__esModule', { value: true })
0 && (module.exports = { ${names.join(', ')} })
`
  return { path, contents }
}
