// The institute's modules and programmes, read once per visit.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { type Institute, readInstitute } from '@/api/institute'

export const useInstitute = defineStore('institute', () => {
  const institute = ref<Institute | null>(null)
  const modules = computed(() =>
    [...(institute.value?.modules ?? [])].sort((a, b) => a.position - b.position),
  )

  async function load(): Promise<void> {
    institute.value ??= await readInstitute()
  }

  const programmesOf = (moduleId: string) =>
    institute.value?.programmes.filter((programme) => programme.module_id === moduleId) ?? []

  return { institute, modules, load, programmesOf }
})
