import { posix } from 'node:path'
import { slugify } from '../headings.mjs'
import { contents, markdownFiles, pagesOf } from '../pages.mjs'

const pages = pagesOf(markdownFiles())
const sidebar = contents().map(({ text, items }) => ({
  text,
  items: items.map(({ text, file }) => ({ text, link: `/${posix.join(pages.get(file) ?? '')}` })),
}))

/** VitePress loads icons of links to social media from a service. This site has no such links, and needs no other host. */
const offline = {
  name: 'offline',
  transform: code =>
    code.includes('api.iconify.design') ? code.replaceAll('https://api.iconify.design', '') : undefined,
}

export default {
  title: 'Laneway',
  description: 'End-to-end traffic lanes (full-link canary) for Node services',
  srcDir: 'pages',
  outDir: 'dist',
  markdown: { anchor: { slugify } },
  vite: { plugins: [offline] },
  themeConfig: {
    outline: 'deep',
    search: { provider: 'local' },
    sidebar,
  },
}
