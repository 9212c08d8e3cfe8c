// @vitest-environment happy-dom
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { onPage } from '@/parts/pageForTests'
import { officesOf } from './duties'
import DutiesCard from './DutiesCard.vue'

let stop: () => void = () => undefined
afterEach(() => stop())

it.each([
  ['system_administrator', 'lectern user add'],
  ['security_administrator', 'lectern user role'],
])('shows the %s its commands', async (role, command) => {
  for (const language of ['zh-CN', 'en'] as const) {
    const page = await onPage(DutiesCard, { roles: [role], language })
    expect(page.says(`duties-${role}`)).toContain(command)
    page.stop()
  }
})

it('leads the auditor to the trail', async () => {
  const page = await onPage(DutiesCard, { roles: ['auditor'] })
  stop = page.stop
  expect(page.find('duties-audit')?.getAttribute('href')).toBe('/audit')
  expect(page.find('duties-certificates')).not.toBeNull()
})

it('shows nothing to those whose work is in the pages', async () => {
  const page = await onPage(DutiesCard, { roles: ['teacher', 'learner'] })
  stop = page.stop
  expect(document.querySelector('.duties')).toBeNull()
})

it('names commands that there are', () => {
  const commands = readFileSync(resolve(import.meta.dirname, '../../../../lectern/commands/user.py'), 'utf8')
  const roles = new Set(['system_administrator', 'security_administrator', 'auditor'])
  const named = officesOf(roles)
    .flatMap((office) => office.duties)
    .flatMap(({ command }) => /^lectern user (\w+)/.exec(command)?.[1] ?? [])
  expect(named.length).toBeGreaterThan(3)
  for (const name of named) expect(commands, name).toMatch(new RegExp(`def ${name}\\(|"${name}"`))
})
