// Which files of the repository are pages of the site, and where; what their links become.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { anchorsOf, withoutFences } from './headings.mjs'

export const root = fileURLToPath(new URL('..', import.meta.url))

const PLACES = [
  [/^docs\/README\.md$/, () => 'index.md'],
  [/^docs\/(.*\.md)$/, path => path],
  [/^packages\/(?!testkit)([^/]+)\/README\.md$/, name => `packages/${name}.md`],
  [/^packages\/register\/SETTINGS\.md$/, () => 'reference/environment.md'],
  [/^benchmarks\/README\.md$/, () => 'benchmarks.md'],
  [/^examples\/(.*)\/README\.md$/, path => `examples/${path.replaceAll('/', '-')}.md`],
  [/^CONTRIBUTING\.md$/, () => 'contributing/index.md'],
  [/^SECURITY\.md$/, () => 'contributing/vulnerabilities.md'],
  [/^test\/README\.md$/, () => 'contributing/tests.md'],
]

/** All Markdown of the repository, new files included. */
export function markdownFiles() {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  })
  return list.split('\n').filter(file => file !== '' && existsSync(`${root}${file}`))
}

/** @returns {Map<string, string>} file in the repository -> page of the site */
export function pagesOf(files) {
  const pages = new Map()
  for (const file of files) {
    for (const [pattern, place] of PLACES) {
      const found = pattern.exec(file)
      if (found === null) continue
      pages.set(file, place(found[1]))
      break
    }
  }
  return pages
}

export const textOf = file => readFileSync(`${root}${file}`, 'utf8')

/** A link in Markdown, or the source of a picture. Code is left alone. */
const LINK = /`[^`\n]*`|(\]\()([^)\s]+)(\))|((?:src|srcset)=")([^"]+)(")/g

/**
 * Each relative link of a page, with the file that it leads to.
 *
 * @param {(link: { whole: string, target: string, anchor: string, isPicture: boolean }) => string | undefined} replace -
 * the text in its place; undefined leaves it
 */
export function withLinks(file, text, replace) {
  const fences = []
  const masked = text.replaceAll(
    /^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gm,
    fence => `\uE000${fences.push(fence) - 1}\uE000`,
  )
  return masked
    .replaceAll(LINK, (whole, open, link, close, openHtml, linkHtml, closeHtml) => {
      const url = link ?? linkHtml
      if (url === undefined || /^[a-z][a-z+.-]*:/i.test(url)) return whole
      const [path = '', anchor = ''] = url.split('#')
      const target = path === '' ? file : posix.join(posix.dirname(file), path).replace(/\/$/, '')
      const replaced = replace({ whole, target, anchor, isPicture: linkHtml !== undefined })
      return replaced === undefined ? whole : `${open ?? openHtml}${replaced}${close ?? closeHtml}`
    })
    .replaceAll(/\uE000(\d+)\uE000/g, (_whole, index) => fences[index])
}

/** A folder's page is its README. */
export function pageOrFile(target) {
  const readme = `${target}/README.md`
  return existsSync(`${root}${readme}`) ? readme : target
}

/** Every relative link that leads nowhere, in all Markdown of the repository. */
export function deadLinks(files) {
  const anchors = new Map()
  const dead = []
  for (const file of files) {
    const text = textOf(file)
    withLinks(file, text, ({ whole, target, anchor }) => {
      const place = pageOrFile(target)
      if (!existsSync(`${root}${place}`)) dead.push(`${file}: ${whole} leads nowhere`)
      else if (anchor !== '' && place.endsWith('.md') && statSync(`${root}${place}`).isFile()) {
        if (!anchors.has(place)) anchors.set(place, anchorsOf(textOf(place)))
        if (!anchors.get(place).has(anchor)) dead.push(`${file}: ${whole} names no heading of ${place}`)
      }
      return undefined
    })
  }
  return dead
}

/** The contents: `## Section` and below it the links of `docs/README.md`, in order. */
export function contents() {
  const sections = []
  for (const line of withoutFences(textOf('docs/README.md')).split('\n')) {
    const heading = /^## (.*)$/.exec(line)
    if (heading !== null) sections.push({ text: heading[1], items: [] })
    const link = /^- \[([^\]]+)\]\(([^)]+)\)/.exec(line)
    if (link !== null) sections.at(-1).items.push({ text: link[1], file: pageOrFile(posix.join('docs', link[2])) })
  }
  return sections
}
