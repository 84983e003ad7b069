/** The anchors of headings, as GitHub makes them: the same links work in the repository and on the site. */
export function slugify(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** @returns {Set<string>} the anchors of a page in Markdown */
export function anchorsOf(text) {
  const anchors = new Set()
  for (const [, heading] of withoutFences(text).matchAll(/^#{1,6} +(.*)$/gm)) {
    const plain = slugify(heading.replaceAll(/`|\*\*?|\[([^\]]*)\]\([^)]*\)/g, (_whole, name = '') => name))
    let anchor = plain
    for (let count = 1; anchors.has(anchor); count++) anchor = `${plain}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

export function withoutFences(text) {
  return text.replaceAll(/^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2 *$/gm, '')
}
