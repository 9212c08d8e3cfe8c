// The typed title must be the title; what an input method does to spaces and widths is not held against the typist.

const plain = (text: string) => text.normalize('NFKC').replace(/\s+/gu, ' ').trim()

export function sameTitle(typed: string, title: string): boolean {
  return plain(typed) === plain(title)
}
