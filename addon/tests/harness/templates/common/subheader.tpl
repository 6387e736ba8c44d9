<h4>{$title}</h4>
