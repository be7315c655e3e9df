# Turns a file into a C++ source with its bytes:  cmake -DINPUT=f -DOUTPUT=f.cpp -DNAME=kName -P EmbedFile.cmake
# Defines glidepath::NAME (unsigned char array) and glidepath::NAMEBytes.
file(READ "${INPUT}" _hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _bytes "${_hex}")
file(WRITE "${OUTPUT}" "#include <cstddef>
namespace glidepath {
extern const unsigned char ${NAME}[];
extern const std::size_t ${NAME}Bytes;
const unsigned char ${NAME}[] = {${_bytes}};
const std::size_t ${NAME}Bytes = sizeof ${NAME};
}  // namespace glidepath
")
