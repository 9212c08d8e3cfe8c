// Why a file was refused as a whole, in words: the api tells a reason or a limit, and names columns as its own.
import { Problem } from '@/api/problems'
import { useWords } from '@/parts/format/useWords'

export function useFileTrouble() {
  const { t, te, language } = useWords()

  /** The sentence, or null for what is not about the file. */
  return function fileTrouble(error: unknown): string | null {
    if (!(error instanceof Problem)) return null
    const { reason, limit } = error.facts
    if (error.code === 'too_large' && limit !== undefined) {
      return te(`import.limits.${limit}`) ? t(`import.limits.${limit}`, error.facts) : null
    }
    if (error.code !== 'invalid_input' || reason === undefined) return null
    const key = te(`import.reasons.${reason}`) ? `import.reasons.${reason}` : 'import.reasons.another'
    return t(key, { ...error.facts, columns: columnWords(String(error.facts['columns'] ?? '')) })
  }

  function columnWords(columns: string): string {
    const named = columns
      .split(',')
      .map((one) => (te(`import.columns.${one}`) ? t(`import.columns.${one}`) : one))
    return named.join(language.value === 'en' ? ', ' : '、')
  }
}
