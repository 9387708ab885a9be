internal import CKernels
func placeholder() -> Int { Int(fk_slanes()) }
