# The endpoints that the other seed document lists, as requests.

curl -X POST "http://localhost:8000/api/v1/auth/login" -H "Content-Type: application/json" -d '{"email": "admin@erp.example.com", "password": "admin123"}'

curl -X POST "http://localhost:8000/api/v1/auth/login" -H "Content-Type: application/json" -d '{"email": "manager@erp.example.com", "password": "manager123"}'

curl -X POST "http://localhost:8000/api/v1/auth/login" -H "Content-Type: application/json" -d '{"email": "viewer@erp.example.com", "password": "viewer123"}'

curl -X GET "http://localhost:8000/api/v1/auth/me" -H "Authorization: Bearer <token>"

curl -X POST "http://localhost:8000/api/v1/auth/register" -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"email": "new@erp.example.com", "password": "securepassword123", "full_name": "New", "role": "viewer"}'

curl -X POST "http://localhost:8000/api/v1/items" -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"sku": "ERP-1", "name": "Item", "category": "Electronics", "unit_cost": 12.99}'

curl -X GET "http://localhost:8000/api/v1/items" -H "Authorization: Bearer <token>"

curl -X GET "http://localhost:8000/api/v1/items/PRODUCT_ID" -H "Authorization: Bearer <token>"

curl -X PATCH "http://localhost:8000/api/v1/items/PRODUCT_ID" -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"unit_cost": 13.5}'

curl -X POST "http://localhost:8000/api/v1/warehouses" -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"code": "BER", "name": "Berlin"}'

curl -X GET "http://localhost:8000/api/v1/warehouses" -H "Authorization: Bearer <token>"

curl -X GET "http://localhost:8000/api/v1/warehouses/WAREHOUSE_ID" -H "Authorization: Bearer <token>"

curl -X PATCH "http://localhost:8000/api/v1/warehouses/WAREHOUSE_ID" -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"location": "Halle 4"}'

curl -X POST "http://localhost:8000/api/v1/inventory-transactions" -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"item_id": "PRODUCT_ID", "warehouse_id": "WAREHOUSE_ID", "transaction_type": "in", "quantity": 5, "unit_price": 12.99}'

curl -X GET "http://localhost:8000/api/v1/inventory-transactions" -H "Authorization: Bearer <token>"

curl -X GET "http://localhost:8000/api/v1/inventory-transactions/TRANSACTION_ID" -H "Authorization: Bearer <token>"

curl -X PATCH "http://localhost:8000/api/v1/inventory-transactions/TRANSACTION_ID" -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"quantity": 6}'

curl -X GET "http://localhost:8000/api/v1/ml/export?offset=0&limit=10000" -H "Authorization: Bearer <token>"

curl -X DELETE "http://localhost:8000/api/v1/inventory-transactions/TRANSACTION_ID" -H "Authorization: Bearer <token>"

curl -X DELETE "http://localhost:8000/api/v1/items/PRODUCT_ID" -H "Authorization: Bearer <token>"

curl -X DELETE "http://localhost:8000/api/v1/warehouses/WAREHOUSE_ID" -H "Authorization: Bearer <token>"

curl -X GET "http://localhost:8000/health"

curl -X GET "http://localhost:8000/docs"
