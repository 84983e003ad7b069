// Copies what the site shows into site/pages, with links that hold there. A file of the repository that is no page is
// linked where its home is known (a workflow of GitHub); else its name stands there without a link.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { markdownFiles, pageOrFile, pagesOf, root, textOf, withLinks } from './pages.mjs'

const out = join(root, 'site/pages')
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
const home = server && repository ? `${server}/${repository}/blob/main/` : undefined

rmSync(out, { recursive: true, force: true })
const pages = pagesOf(markdownFiles())
for (const [file, page] of pages) write(page, staged(file, page))
const pictures = join(root, 'docs/pictures')
if (existsSync(pictures)) {
  mkdirSync(join(out, 'pictures'), { recursive: true })
  for (const name of readdirSync(pictures).filter(name => name.endsWith('.svg')))
    cpSync(join(pictures, name), join(out, 'pictures', name))
}
console.log(`${pages.size} pages`)

function staged(file, page) {
  const text = textOf(file).replaceAll(/^(```\w+) .*$/gm, '$1')
  const linked = withLinks(file, text, ({ target, anchor, isPicture }) => {
    const place = pageOrFile(target)
    const to = isPicture || place.endsWith('.svg') ? place.replace(/^docs\//, '') : pages.get(place)
    if (to !== undefined) {
      const path = posix.relative(posix.dirname(page), to)
      return `${path.startsWith('.') ? '' : './'}${path}${anchor === '' ? '' : `#${anchor}`}`
    }
    return home === undefined ? 'repository:' : `${home}${place}`
  })
  return linked.replaceAll(/\[([^\]]*)\]\(repository:\)/g, '$1')
}

function write(page, text) {
  mkdirSync(dirname(join(out, page)), { recursive: true })
  writeFileSync(join(out, page), text)
}
