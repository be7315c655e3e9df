# Makes files part of a library by the assembler's .incbin, which takes a megabyte in no time.
#
# glidepath_embed(<output.cpp> NAME file [NAME file ...])  generates a source that defines, for each pair,
#   namespace glidepath { extern const char* const NAME; extern const std::size_t NAMEBytes; }
function(glidepath_embed output)
  set(names ${ARGN})
  set(text "#include <cstddef>\n")
  set(files)
  while(names)
    list(POP_FRONT names name file)
    list(APPEND files ${file})
    file(SHA256 ${file} hash)  # ccache knows of no file but the source: it has to change with them
    string(APPEND text "
// ${hash}
__asm__(\".pushsection .rodata\\n\"
        \".global ${name}_begin\\n${name}_begin:\\n.incbin \\\"${file}\\\"\\n\"
        \".global ${name}_end\\n${name}_end:\\n.byte 0\\n\"
        \".popsection\\n\");
extern \"C\" __attribute__((visibility(\"hidden\"))) const char ${name}_begin[], ${name}_end[];
namespace glidepath {
extern const char* const ${name};
extern const std::size_t ${name}Bytes;
const char* const ${name} = ${name}_begin;
const std::size_t ${name}Bytes = static_cast<std::size_t>(${name}_end - ${name}_begin);
}  // namespace glidepath
")
  endwhile()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  file(GENERATE OUTPUT ${output} CONTENT "${text}")
  # Apart: a file that stands for several in one does not know what each depends on.
  set_source_files_properties(${output} PROPERTIES GENERATED ON SKIP_UNITY_BUILD_INCLUSION ON OBJECT_DEPENDS "${files}")
endfunction()
