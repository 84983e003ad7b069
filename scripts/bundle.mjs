// Puts the modules of a package into one file per entry and dialect: Node reads and links each module by itself,
// about 0.5 ms a file, so that importing @laneway/nacos would take twice the time.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { build } from 'esbuild'

const DIALECTS = { esm: 'esm', commonjs: 'cjs' }

/** @param folder - of a package; the declarations in its `dist` stay as they are */
export async function bundle(folder) {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  const sources = Object.values(manifest.tshy.exports).filter(file => file.endsWith('.ts'))
  const commands = Object.values(manifest.bin ?? {}).map(file =>
    file.replace('./dist/esm/', './src/').replace(/\.js$/, '.ts'),
  )
  const results = await Promise.all(
    Object.entries(DIALECTS).map(([dialect, format]) =>
      build({
        absWorkingDir: folder,
        entryPoints: [...sources, ...commands],
        outdir: `dist/${dialect}`,
        outbase: 'src',
        bundle: true,
        splitting: format === 'esm',
        chunkNames: 'shared-[hash]',
        packages: 'external',
        platform: 'node',
        target: 'node20',
        format,
        sourcemap: 'linked',
        // The file itself, for what a package loads only when it is needed: the two formats name it differently.
        define: { LANEWAY_FILE: format === 'esm' ? 'import.meta.url' : '__filename' },
        write: false,
      }),
    ),
  )
  for (const dialect of Object.keys(DIALECTS)) {
    mkdirSync(`${folder}/dist/${dialect}`, { recursive: true })
    const type = dialect === 'esm' ? 'module' : 'commonjs'
    const { sideEffects } = manifest
    writeFileSync(`${folder}/dist/${dialect}/package.json`, JSON.stringify({ type, sideEffects }, null, 2))
    for (const file of readdirSync(`${folder}/dist/${dialect}`, { recursive: true })) {
      if (/\.js(\.map)?$/.test(file)) rmSync(`${folder}/dist/${dialect}/${file}`)
    }
  }
  for (const { path, contents } of results.flatMap(result => result.outputFiles)) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
  }
}
