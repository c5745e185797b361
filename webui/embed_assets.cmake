# cmake -DOUTPUT_DIR=... -DASSETS="url=file;url=file" -DBUNDLE=folder -P embed_assets.cmake
#
# Compresses the assets and every file of the bundle, whose urls are their paths in it, and writes
# assets_data.S, which pulls the compressed bytes in, and assets_table.inc, the rows of the table in
# assets.cc, sorted by url.

function(content_type_of url result)
  string(REGEX MATCH "[^.]*$" extension "${url}")
  set(html "text/html; charset=utf-8")
  set(css "text/css; charset=utf-8")
  set(js "text/javascript; charset=utf-8")
  set(json "application/json")
  set(svg "image/svg+xml")
  set(png "image/png")
  set(ico "image/x-icon")
  if(NOT DEFINED ${extension})
    message(FATAL_ERROR "webui: no content type is known for ${url}; add it to embed_assets.cmake")
  endif()
  set(${result} "${${extension}}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE bundled RELATIVE ${BUNDLE} ${BUNDLE}/*)
foreach(file IN LISTS bundled)
  list(APPEND ASSETS "/${file}=${BUNDLE}/${file}")
endforeach()
list(SORT ASSETS)

set(data "  .section .rodata\n")
set(table "")
set(index 0)
foreach(asset IN LISTS ASSETS)
  string(REGEX MATCH "^([^=]*)=(.*)$" matched "${asset}")
  set(url ${CMAKE_MATCH_1})
  set(file ${CMAKE_MATCH_2})
  content_type_of(${url} content_type)
  file(SIZE ${file} size)
  file(SHA256 ${file} digest)
  string(SUBSTRING ${digest} 0 16 etag)
  set(compressed ${OUTPUT_DIR}/asset_${index}.gz)
  execute_process(COMMAND gzip -9 -n -c ${file} OUTPUT_FILE ${compressed}
                  COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND data "  .global hearth_asset_${index}, hearth_asset_${index}_end\n"
                     "hearth_asset_${index}:\n  .incbin \"${compressed}\"\n"
                     "hearth_asset_${index}_end:\n")
  string(APPEND table
    "ASSET(${index}, \"${url}\", \"${content_type}\", \"\\\"${etag}\\\"\", ${size})\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND data "  .section .note.GNU-stack,\"\",%progbits\n")
file(WRITE ${OUTPUT_DIR}/assets_data.S "${data}")
file(WRITE ${OUTPUT_DIR}/assets_table.inc "${table}")
