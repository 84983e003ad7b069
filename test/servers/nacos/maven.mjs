// Java programs out of Maven artifacts: class path and compiled launcher are made once and kept in a cache folder.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const here = dirname(new URL(import.meta.url).pathname)
const cache = process.env.NACOS_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'laneway-nacos')
const repository = process.env.NACOS_M2 ?? join(cache, 'm2')
const ATTEMPTS = Number(process.env.NACOS_RETRIES ?? 4)

/** Runs a program to its end; rejects with the last lines of what it said. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let said = ''
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', chunk => (said = (said + chunk).slice(-20_000)))
    child.on('error', error => reject(new Error(`${command} is not there: ${error.message}`)))
    child.on('close', code => {
      if (code === 0) return resolve(said)
      const errors = said.split('\n').filter(line => /ERROR|error:/.test(line))
      reject(new Error(`${command} ended with ${code}: ${(errors[0] ?? said.slice(-300)).slice(0, 300)}`))
    })
  })
}

/**
 * Why a program cannot be had here; `undefined` when it can.
 * @param name - for people
 */
export async function missing(name, program) {
  for (const tool of ['java', 'mvn']) {
    if (spawnSync(tool, ['-version']).status !== 0) return `no ${tool} on the PATH`
  }
  try {
    await classPath(program)
    return undefined
  } catch (error) {
    return `${name} cannot be had: ${error.message}`
  }
}

/**
 * The class path of a list of dependencies, with the compiled sources in front where there are any.
 * @param {{ name: string, dependencies: { group: string, artifact: string, version?: string, without?: string[] }[],
 *   management?: { group: string, artifact: string, version: string }[], launcher?: string, sources?: string[] }} program
 *   `launcher` is a file of the folder `java` here, `sources` are absolute paths; a version may be left to `management`
 */
export async function classPath({ name, dependencies, management = [], launcher, sources = [] }) {
  const files = launcher === undefined ? sources : [join(here, 'java', launcher), ...sources]
  const pom = pomOf(name, dependencies, management)
  const hash = createHash('sha256').update(pom)
  for (const source of files) hash.update(await readFile(source, 'utf8'))
  const home = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}`)
  const file = join(home, 'classpath')
  await mkdir(home, { recursive: true })
  let jars = existsSync(file) ? await readFile(file, 'utf8') : ''
  if (jars === '' || !jars.split(':').every(jar => existsSync(jar))) {
    await writeFile(join(home, 'pom.xml'), pom)
    const made = join(home, `classpath.${process.pid}`)
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath'
    const args = [
      '-B',
      '-ntp',
      '-q',
      '-U',
      '-f',
      join(home, 'pom.xml'),
      `-Dmaven.repo.local=${repository}`,
      goal,
      '-DincludeScope=runtime',
    ]
    for (let attempt = 1; ; attempt++) {
      try {
        await run('mvn', [...args, `-Dmdep.outputFile=${made}`])
        break
      } catch (error) {
        // Mirrors answer a first request for an artifact with an error while they fetch it.
        if (attempt >= ATTEMPTS) throw error
        await sleep(attempt * 2_000)
      }
    }
    await rename(made, file)
    jars = await readFile(file, 'utf8')
  }
  if (files.length === 0) return jars.trim()
  const classes = join(home, 'classes')
  if (!existsSync(classes)) {
    const aside = `${classes}.${process.pid}`
    await run('javac', ['-proc:none', '-nowarn', '-cp', jars.trim(), '-d', aside, ...files])
    await rename(aside, classes).catch(() => rm(aside, { recursive: true, force: true }))
  }
  return `${classes}:${jars.trim()}`
}

function pomOf(name, dependencies, management) {
  const one = ({ group, artifact, version, without = [] }, more = '') =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>${version === undefined ? '' : `<version>${version}</version>`}${more}${
      without.length === 0
        ? ''
        : `<exclusions>${without.map(artifactId => `<exclusion><groupId>${group}</groupId><artifactId>${artifactId}</artifactId></exclusion>`).join('')}</exclusions>`
    }</dependency>`
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>laneway.test</groupId><artifactId>${name}</artifactId><version>1</version>
<dependencyManagement><dependencies>${management.map(bom => one(bom, '<type>pom</type><scope>import</scope>')).join('')}</dependencies></dependencyManagement>
<dependencies>${dependencies.map(dependency => one(dependency)).join('')}</dependencies></project>\n`
}
