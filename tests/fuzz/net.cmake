gezhi_fuzz(query fuzz_query.c LINK net)
gezhi_fuzz(form fuzz_form.c LINK net)
gezhi_fuzz(multipart fuzz_multipart.c LINK net)
gezhi_fuzz(http_head fuzz_http_head.c LINK net)
